// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// The kernel that runs, whatever a saved tree says.
package enum RunningKernel {
    /// "6.1.0-56-cloud-amd64" (uname(2)).
    package static var release: String {
        var names = utsname()
        uname(&names)
        return withUnsafePointer(to: &names.release) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }
}
