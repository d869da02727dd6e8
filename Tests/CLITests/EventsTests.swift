// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// `events`, where it can go no further than its arguments or /sys.
/// A process, since what is tested is how the command line turns a refusal into a line and an exit code.
@Suite struct EventsTests {
    private func events(_ arguments: [String]) throws -> Command.Outcome {
        try Command.conntrackMon(["events"] + arguments).run()
    }

    static let wrong: [(arguments: [String], text: String)] = [
        (["-p", "tpc"], "'tpc' is no protocol; write tcp, udp"), (["-p", "256"], "'256' is no protocol"),
        (["-s", "10.0.0.0/33"], "'10.0.0.0/33' is no address; write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32"),
        (["--dport", "https"], "'https' is no port; write a number from 0 to 65535"),
        (["--dport", "70000"], "'70000' is no port"), (["--dport", "-1"], "'-1' is no port"),
        (["-p", "tcp", "--state", "OPEN"], "'OPEN' is no state of TCP; write NONE, SYN_SENT"),
        (["-u", "ASURED"], "'ASURED' is no status; write UNREPLIED, EXPECTED, SEEN_REPLY, ASSURED"),
        (["-m", "x"], "'x' is no mark; write 7, 0x7 or 0x7/0xff"), (["-w", "65536"], "'65536' is no zone"),
        (["-f", "ipx"], "'ipx' is no family; write ipv4, ipv6"),
        (["-e", "NEW,OLD"], "'OLD' is no event; write NEW, UPDATES, DESTROY, ALL"),
        (["-o", "xml"], "'xml' is no part of a line; write id, extended, timestamp"),
        (["--format", "csv"], "'csv' is none of: conntrack, json, table"), (["--count", "0"], "must be at least 1"),
        // What nothing can match.
        (["-p", "icmp", "--dport", "80"], "--dport 80 with --proto icmp: icmp has no ports"),
        (["--state", "ESTABLISHED"], "--state ESTABLISHED: states are of TCP only; write --proto tcp with it"),
        (["-p", "udp", "--state", "ESTABLISHED"], "states are of TCP only"),
        (["-f", "ipv4", "-s", "2001:db8::1"], "an entry is not IPv4 and IPv6 at once"),
        (["-s", "10.0.0.1", "-d", "::1"], "--orig-src 10.0.0.1 with --orig-dst ::1: an entry is not"),
        (["-p", "icmpv6", "-f", "ipv4"], "an entry is not IPv4 and IPv6 at once"),
        (["-u", "ASSURED,!ASSURED"], "no entry is ASSURED and is not"),
        (["-u", "SEEN_REPLY,UNREPLIED"], "no entry is SEEN_REPLY and is not"),
        (["-m", "0x100/0xff"], "the value has bits that the mask leaves out"),
        (["-j", "-n"], "--any-nat: with --src-nat or --dst-nat"),
        (["--source", "none"], "--source none: events come by bpf or netlink"),
        (["--format", "json", "-o", "id"], "--output id: is about lines of conntrack's, not about --format json"),
    ]

    @Test(arguments: wrong)
    func `a wrong value, and a filter that nothing can match, is one clear line`(
        _ arguments: [String], _ text: String
    ) throws {
        let outcome = try events(arguments)

        #expect(outcome.status == .exited(64), "\(outcome)")
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.contains(text), "\(outcome)")
    }

    @Test func `top takes the same filters, and its own letter`() throws {
        let outcome = try Command.conntrackMon(["top", "-p", "icmp", "--sport", "1", "-n", "5"]).run()

        #expect(outcome.status == .exited(64), "\(outcome)")
        #expect(outcome.standardError.contains("--sport 1 with --proto icmp: icmp has no ports"), "\(outcome)")
    }

    @Test func `a saved proc has no events`() throws {
        let outcome = try FakeHost().run("events")

        #expect(outcome.status == .exited(1), "\(outcome)")
        #expect(outcome.standardError.contains("is a saved copy: only the running kernel has events"), "\(outcome)")
    }

    /// nf_conntrack as a module, without nf_conntrack_netlink; and no nf_conntrack at all.
    @Test(arguments: ["sys/module/nf_conntrack/refcnt", "sys/module/other/refcnt"])
    func `where joining would load a module it waits, and says so`(_ file: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("0\n", to: file)
        let command = try Command.conntrackMon(["events", "--sysfs", directory.path(of: "sys")]).start()
        let line = try command.waitForLine(on: .stderr, containing: "nf_conntrack_netlink is not loaded")

        #expect(line.contains("modprobe nf_conntrack_netlink, or --load-modules"))
        command.send(signal: SIGTERM)
        #expect(try command.waitForExit() == .exited(0))
        #expect(command.standardOutput == "")
    }
}
