// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackPublish

/// Whole reports on saved trees, Tests/Fixtures/doctor.
@Suite struct DoctorTests {
    @Test(arguments: SavedTrees.all + SavedTrees.cases)
    func `a tree gives its text, its JSON and its exit code`(_ name: String, _ code: Int32) throws {
        let report = SavedTrees.examine(name)
        #expect(try Golden.compare(report.text() + "\n", with: "doctor/\(name).txt") == nil)
        #expect(try Golden.compare(report.json() + "\n", with: "doctor/\(name).json") == nil)
        #expect(report.exitCode == code)
    }

    /// nil where it can't be known.
    @Test(arguments: [
        ("el6", true, 65_536), ("el6-ip6tables-holds", false, 1_048_576), ("el7-firewalld", true, 65_536),
        ("all-right", false, 1_048_576), ("built-in", false, 262_144), ("container", nil, nil),
        ("sosreport", true, 65_536), ("absent", false, nil), ("proc-only", nil, nil),
    ])
    func `a restart's effect is told for the fleet`(_ name: String, _ unloads: Bool?, _ limit: UInt64?) {
        let report = SavedTrees.examine(name)
        #expect(report.reloadWouldUnload == unloads)
        #expect(report.reloadLimit == limit)
        #expect(!report.why.isEmpty)
    }

    @Test func `each line of text that does nothing is told once`() {
        for name in ["text-sysctl", "text-modules"] {
            let findings = SavedTrees.examine(name).findings
            let told = findings.flatMap { finding in finding.evidence.map { "\($0.file):\($0.line ?? 0)" } }
            #expect(told.count == Set(told).count)
            #expect(findings.count { $0.id == "no_effect" } > 5)
        }
    }

    @Test func `findings come worst first`() {
        let severities = SavedTrees.examine("all-wrong").findings.map(\.severity)
        #expect(Set(severities) == [.critical, .warning, .info])
        #expect(severities == severities.sorted(by: >))
    }

    @Test func `every name of a finding is snake case and every one has something to say`() {
        let findings = SavedTrees.all.flatMap { SavedTrees.examine($0.0).findings }
        #expect(Set(findings.map(\.id)).count > 15)
        for finding in findings {
            #expect(finding.id.allSatisfy { $0.isLowercase || $0 == "_" || $0.isNumber })
            #expect(!finding.summary.isEmpty)
            #expect(finding.severity == .info || !finding.cure.isEmpty)
        }
    }

    @Test func `an empty folder is a host of which nothing is known`() throws {
        let directory = try TemporaryDirectory()
        let report = Doctor.examine(
            HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path))
        #expect(report.settings == [])
        #expect(report.limit == nil)
        #expect(report.exitCode == 3)
    }

    @Test func `a tree of garbage is examined like any other`() throws {
        let directory = try TemporaryDirectory()
        let garbage =
            "nonsense\n" + String(repeating: "\u{0}\u{7f}=,\n- 99999999999999999999 \u{fffd}[*\\\n", count: 200)
        for file in [
            "proc/modules", "proc/meminfo", "proc/stat", "proc/slabinfo", "proc/cmdline", "proc/sys/kernel/osrelease",
            "proc/sys/net/netfilter/nf_conntrack_max", "sys/module/nf_conntrack/refcnt", "etc/sysctl.d/a.conf",
            "etc/modprobe.d/a.conf", "etc/modules-load.d/a.conf", "etc/udev/rules.d/a.rules", "etc/ufw/ufw.conf",
            "etc/sysconfig/iptables-config", "etc/firewalld/firewalld.conf", "etc/sysconfig/ip6tables",
        ] {
            try directory.write(garbage, to: file)
        }
        let report = Doctor.examine(
            HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path))
        #expect(report.limit == nil)
        #expect(report.findings.contains { $0.id == "unreadable_configuration" })
    }

    @Test func `more scripts than are read are told, and what was read counts`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("sysctl -w net.netfilter.nf_conntrack_max=5\n", to: "etc/rc.local")
        let job = "@reboot root sysctl -w net.netfilter.nf_conntrack_acct=1\n"
        for number in 0..<100 { try directory.write(String(repeating: job, count: 200), to: "etc/cron.d/\(number)") }
        let paths = HostPaths(
            procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path)
        #expect(Doctor.examine(paths).findings.map(\.id).contains("unread_scripts"))
        for number in 1..<100 { unlink(directory.path(of: "etc/cron.d/\(number)")) }
        #expect(!Doctor.examine(paths).findings.map(\.id).contains("unread_scripts"))
    }

    @Test func `this host is examined`() {
        let report = Doctor.examine(HostPaths())
        #expect(!report.why.isEmpty)
        #expect(!report.text().isEmpty)
    }
}
