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

    /// Hosts from public reports, Tests/Fixtures/doctor/cases.
    package static let cases: [(String, Int32)] = [
        ("01-eks-kubeproxy-config", 1), ("02-aks-kubeproxy-lowers", 1), ("03-k3s", 0), ("04-modprobe-install-echo", 1),
        ("05-keys-that-do-not-exist", 1), ("06-count-instead-of-max", 1), ("08-no-conf-suffix", 1),
        ("10-firewalld-pattern", 1), ("13-modules-load-old-name", 1), ("14-timeouts-need-ipv4-module", 1),
        ("15-tuned", 0), ("16-proxmox", 1), ("17-alpine", 1), ("19-openwrt", 0), ("28-load-list-does-not-match", 2),
        ("30-udev-rule-one-setting", 1), ("32-disabled", 1), ("34-buckets-live-differs", 1), ("35-sysctl-syntax", 1),
        ("41-proc-only", 3), ("43-modprobe-option-with-blanks", 2), ("44-rc.local", 0), ("47-sosreport-count", 2),
    ].map { ("cases/" + $0.0, $0.1) }

    /// What the doctor says of one.
    package static func examine(_ name: String) -> DoctorReport {
        let tree = "\(Repository.root)/Tests/Fixtures/doctor/\(name)"
        return Doctor.examine(HostPaths(procfs: tree + "/proc", sysfs: tree + "/sys", root: tree))
    }
}
