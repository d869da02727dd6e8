// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension Announcement {
    /// "CRITICAL usage_high", "WARNING monitor_degraded(textfile)", "CRITICAL usage_high again".
    package var brief: String {
        word + " " + name + (subject.map { "(\($0))" } ?? "") + (state == .repeating ? " again" : "")
    }
}
