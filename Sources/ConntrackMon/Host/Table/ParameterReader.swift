// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// Every nf_conntrack_* setting under /proc/sys/net/netfilter, by name, sorted.
///
/// Not nf_conntrack_count, which is no setting, and not nf_conntrack_frag6_*, which belong to nf_defrag_ipv6 and stay
/// when nf_conntrack goes. What cannot be read or is no number is left out.
func readParameters(procfs: String) -> [(name: String, value: UInt64)] {
    let folder = procfs + "/sys/net/netfilter"
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var parameters: [(name: String, value: UInt64)] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name.hasPrefix("nf_conntrack_"), name != "nf_conntrack_count", !name.hasPrefix("nf_conntrack_frag6_"),
            let value = readNumber(folder + "/" + name)
        else { continue }
        parameters.append((name, value))
    }
    return parameters.sorted { $0.name < $1.name }
}

/// The number in a sysctl file; nil when there is none.
package func readNumber(_ path: String) -> UInt64? {
    guard let text = try? KernelFile.text(of: path) else { return nil }
    var copy = text
    return copy.withUTF8 { KernelFile.number(in: UnsafeRawBufferPointer($0)) }
}
