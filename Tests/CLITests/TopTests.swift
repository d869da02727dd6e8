// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

/// `top`, where it can go no further than its arguments or /sys.
/// A process, since what is tested is how the command line turns a refusal into a line and an exit code.
@Suite struct TopTests {
    private func top(_ arguments: [String]) throws -> Command.Outcome {
        try Command.conntrackMon(["top"] + arguments).run()
    }

    private func expectOneLine(_ outcome: Command.Outcome, _ text: String) {
        #expect(outcome.status == .exited(1), "\(outcome)")
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.standardError.contains(text), "\(outcome)")
    }

    static let wrong: [(flag: String, value: String, text: String)] = [
        ("--by", "sauce", "'sauce' is none of: source, destination, port, state, protocol, zone, mark"),
        ("--by", "", "'' is none of: source"), ("--by", "source,", "'' is none of: source"),
        ("--by", "port,source,port", "'port' is there twice"), ("--by", "Source", "'Source' is none of"),
        ("--prefix4", "33", "'33' is no prefix length; write a number from 0 to 32"),
        ("--prefix4", "-1", "'-1' is no prefix length"), ("--prefix4", "", "'' is no prefix length"),
        ("--prefix6", "129", "write a number from 0 to 128"), ("--prefix6", "/64", "'/64' is no prefix length"),
        ("--limit", "-5", "'-5' is no number of rows"), ("-n", "all", "'all' is no number of rows"),
        ("--limit", "99999999999", "'99999999999' is no number of rows"),
    ]

    @Test(arguments: wrong)
    func `a wrong value is named with its flag`(_ flag: String, _ value: String, _ text: String) throws {
        let outcome = try top([flag, value])

        #expect(outcome.status == .exited(64), "\(outcome)")
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.contains(flag), "\(outcome)")
        #expect(outcome.standardError.contains(text), "\(outcome)")
    }

    @Test func `a saved proc has no table to dump`() throws {
        let host = try FakeHost()
        let outcome = try host.run("top")

        expectOneLine(outcome, "is a saved copy: only the running kernel's table can be dumped")
        #expect(outcome.standardError.contains("--procfs \(host.directory.path(of: "proc"))"))
    }

    @Test(arguments: [["--procfs", "/nonexistent"], ["--netns", "no-such-namespace"]])
    func `what is not there is one line`(_ arguments: [String]) throws {
        expectOneLine(try top(arguments), arguments[1])
    }

    /// nf_conntrack as a module, without nf_conntrack_netlink; and no nf_conntrack at all.
    @Test(arguments: ["sys/module/nf_conntrack/refcnt", "sys/module/other/refcnt"])
    func `a dump that would load a module is refused`(_ file: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("0\n", to: file)
        let outcome = try top(["--sysfs", directory.path(of: "sys")])

        expectOneLine(outcome, "nf_conntrack_netlink is not loaded, and a dump would load it")
        #expect(outcome.standardError.contains("--load-modules"))
    }
}
