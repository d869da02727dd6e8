// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

/// `doctor`, as an administrator runs it on a saved host.
/// A process, since scripts rely on its exit codes; what it finds is tested without.
@Suite struct DoctorCommandTests {
    private static let fixtures = "\(Repository.root)/Tests/Fixtures/doctor"

    private func doctor(_ arguments: String...) throws -> Command.Outcome {
        try Command.conntrackMon(["doctor"] + arguments).run()
    }

    @Test(arguments: [("all-right", 0), ("container", 0), ("ubuntu-ufw", 1), ("el6", 2)] as [(String, Int32)])
    func `the exit code tells the worst finding`(_ tree: String, _ code: Int32) throws {
        let outcome = try doctor("--root", "\(Self.fixtures)/\(tree)")

        #expect(outcome.status == .exited(code), "\(outcome)")
        #expect(outcome.standardError == "")
        #expect(try Golden.compare(outcome.standardOutput, with: "doctor/\(tree).txt") == nil)
    }

    @Test func `json is the same report on one line`() throws {
        let outcome = try doctor("--json", "--root", "\(Self.fixtures)/el6/")

        #expect(outcome.status == .exited(2))
        #expect(try Golden.compare(outcome.standardOutput, with: "doctor/el6.json") == nil)
    }

    @Test func `the memory of a table is told when it is asked for, and is no finding`() throws {
        let root = "\(Self.fixtures)/all-right"
        let text = try doctor("--root", root, "--size", "2000000")
        #expect(text.status == .exited(0), "\(text)")
        #expect(try Golden.compare(text.standardOutput, with: "doctor/size.txt") == nil)

        let json = try doctor("--root", root, "--size", "2000000", "--json")
        #expect(try Golden.compare(json.standardOutput, with: "doctor/size.json") == nil)
    }

    @Test func `proc and sys may lie elsewhere`() throws {
        let (root, proc) = ("\(Self.fixtures)/all-right", "\(Self.fixtures)/absent/proc")
        let outcome = try doctor("--root", root, "--procfs", proc)

        #expect(outcome.status == .exited(0), "\(outcome)")
        #expect(outcome.standardOutput.contains("nf_conntrack is not loaded"))
    }

    @Test func `this host is examined without root's help`() throws {
        let outcome = try doctor()

        #expect(outcome.standardOutput.hasPrefix("A firewall restart here would "), "\(outcome)")
        #expect(outcome.standardError == "")
    }

    @Test(arguments: [
        (["--root", "/no/such/folder"], "--root /no/such/folder: no such folder"),
        (["--procfs", "/no/such/folder"], "--procfs /no/such/folder: no such folder"),
        (["--sysfs", "/no/such/folder"], "--sysfs /no/such/folder: no such folder"),
        (["--procfs", "/etc"], "--procfs /etc is a saved copy: give --root too"),
        (["--netns", "no-such-namespace"], "no-such-namespace"), (["extra"], "extra"),
        (["--size", "0"], "'0' is no number of entries"), (["--size", "12k"], "'12k' is no number of entries"),
        (["--size", "2147483648"], "is no number of entries"), (["--bogus"], "--bogus"),
    ])
    func `a wrong use is named and is no finding`(_ arguments: [String], _ text: String) throws {
        let outcome = try Command.conntrackMon(["doctor"] + arguments).run()

        #expect(outcome.status == .exited(64), "\(outcome)")
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.contains(text), "\(outcome)")
    }
}
