// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackHost
package import ConntrackModel
internal import TestKit

/// Saved hosts, Tests/Fixtures/doctor.
package enum SavedTrees {
    /// Every tree, and the exit code it leads to.
    package static let all: [(String, Int32)] = [
        ("absent", 0), ("all-right", 0), ("all-wrong", 2), ("boot-race", 2), ("built-in", 0), ("container", 0),
        ("debian-plain", 0), ("docker", 0), ("el6", 2), ("el6-ip6tables-holds", 1), ("el7-firewalld", 2),
        ("el8-nft-holds", 1),
        ("kubernetes", 1), ("forbidden", 1), ("old-keys", 1), ("proc-only", 3), ("sosreport", 1), ("sosreport-full", 2),
        ("text-modules", 2),
        ("text-quiet", 0), ("text-sysctl", 1), ("ubuntu-ufw", 1),
    ]

    /// What the doctor says of one.
    package static func examine(_ name: String) -> DoctorReport {
        let tree = "\(Repository.root)/Tests/Fixtures/doctor/\(name)"
        return Doctor.examine(HostPaths(procfs: tree + "/proc", sysfs: tree + "/sys", root: tree))
    }
}
