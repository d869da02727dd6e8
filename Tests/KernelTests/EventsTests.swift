// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials
internal import Glibc
internal import TestKit
internal import Testing

/// `events` and `conntrack -E` on the same traffic.
/// Processes, since `conntrack` is one, and the real kernel is what both listen to.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct EventsTests {
    /// Zones of both directions and of one, marks, labels, NAT, counters and times.
    private func namespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.nft(
            """
            table inet everything {
                chain outgoing {
                    type filter hook output priority raw
                    meta l4proto tcp ct zone set 7
                    meta l4proto udp ip daddr 127.0.0.1 ct original zone set 3
                }
                chain incoming { type filter hook prerouting priority raw; meta l4proto tcp ct zone set 7; }
                chain marking {
                    type filter hook output priority 0
                    meta l4proto { tcp, icmp } ct mark set 0x1234
                    ct label set 3
                    ct state new,established accept
                }
            }
            table ip translate {
                chain before { type nat hook output priority -100; tcp dport 7001 dnat to 127.0.0.1:7000; }
                chain after { type nat hook postrouting priority 100; udp dport 7003 snat to 127.0.0.9; }
            }
            """)
        try namespace.setSysctl("netfilter/nf_conntrack_acct", "1")
        try namespace.setSysctl("netfilter/nf_conntrack_timestamp", "1")
        return namespace
    }

    private func makeTraffic(_ namespace: TestNamespace) throws {
        for family in Family.allCases {
            _ = try namespace.tcpFlows(family, count: 2)
            _ = try namespace.udpFlows(family, count: 2)
            _ = try namespace.echo(family, identifier: 0x1234)
            let ports: [UInt8] = [0x11, 0x22, 0x33, 0x44]
            let initiation: [UInt8] =
                ports + [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 1]
            _ = try namespace.sendRaw(family, protocol: UInt8(IPPROTO_SCTP), payload: initiation)
            _ = try namespace.sendRaw(family, protocol: UInt8(IPPROTO_GRE), payload: [0, 0, 8, 0])
            _ = try namespace.sendRaw(family, protocol: UInt8(IPPROTO_UDPLITE), payload: ports + [0, 8, 0xff, 0xff])
            _ = try namespace.sendRaw(family, protocol: 253, payload: [1, 2, 3, 4])
        }
        _ = try namespace.sendRaw(
            .ipv4, protocol: UInt8(IPPROTO_UDP), payload: [0x10, 0, 0x1b, 0x5b, 0, 9, 0, 0, 1])
        try namespace.flushEntries()
    }

    /// The events that end what is compared: made last, by ctnetlink, past any filter that is tried here.
    private static let last = "src=10.254.0.1"

    private func makeLast(_ namespace: TestNamespace, _ arguments: String = "-p udp") throws {
        let command = "conntrack -I \(arguments) -s 10.254.0.1 -d 10.254.0.2 --sport 9 --dport 9 -t 100 -m 0x1234"
        _ = try namespace.output(of: Command("sh", "-c", command))
    }

    /// Started, and joined to some group.
    private func start(_ namespace: TestNamespace, _ command: Command) throws -> RunningCommand {
        let running = try command.start(in: namespace)
        let isJoined = try eventually { try namespace.netfilterSockets(of: running.process).contains { $0 & 7 != 0 } }
        #expect(isJoined, "\(command)")
        return running
    }

    private func events(_ arguments: [String]) throws -> Command {
        Command(try Repository.builtBinary(), arguments: ["events"] + arguments)
    }

    /// What it printed until the last event: without the program's name, which may have ended when it is looked for.
    private func lines(_ command: RunningCommand) throws -> [String] {
        try command.waitForLine(containing: Self.last)
        command.send(signal: SIGTERM)
        let status = try command.waitForExit()
        #expect(status == .exited(0), "\(command.transcript)")
        return command.standardOutput.split(separator: "\n").filter { !$0.contains(Self.last) }.map { line in
            line.components(separatedBy: " [USERSPACE]")[0]
        }.sorted()
    }

    /// The sources that this machine allows.
    static let sources = Requirement.initialRoot.unmet == nil ? ["bpf", "netlink"] : ["netlink"]

    @Test(arguments: sources)
    func `both print the same lines, of every protocol, zone, mark and translation`(_ source: String) throws {
        let namespace = try namespace()
        let conntrack = try start(namespace, Command("conntrack", "-E", "-o", "id,extended,ktimestamp"))
        let own = try start(namespace, events(["-o", "id,extended,ktimestamp", "--source", source]))
        try makeTraffic(namespace)
        try makeLast(namespace)

        let (expected, found) = (try lines(conntrack), try lines(own))
        #expect(found == expected)
        #expect(own.standardError == "")
        for word in [
            "ipv6", "sctp", "gre", "icmpv6", "udplite", "unknown", "zone=7", "zone-orig=3", "mark=4660", "packets=",
            "[DESTROY]", "[UPDATE]", "[ASSURED]", "dst=127.0.0.9",
        ] { #expect(expected.contains { $0.contains(word) }, "\(word)") }
    }

    @Test(
        arguments: sources,
        [
            ["-p", "tcp"], ["-p", "udp", "--dport", "7003"], ["-f", "ipv4"], ["-p", "icmp"], ["-e", "NEW,DESTROY"],
            ["-m", "0x1234"], ["-m", "0x34/0xff"], ["-s", "127.0.0.1"], ["-d", "127.0.0.0/8"],
            ["-p", "tcp", "--state", "ESTABLISHED"], ["-p", "udp", "--src-nat"], ["-p", "tcp", "-w", "7"],
            ["-f", "ipv6", "-p", "icmpv6"], ["-p", "udp", "-r", "127.0.0.1", "-q", "127.0.0.9"],
        ])
    func `a filter wants what conntrack's wants`(_ source: String, _ filter: [String]) throws {
        let namespace = try namespace()
        // conntrack's own -f says nothing of what its -p does not; both get the same words.
        let conntrack = try start(namespace, Command("conntrack", arguments: ["-E"] + filter))
        let own = try start(namespace, events(filter + ["--source", source]))
        try makeTraffic(namespace)
        // Nothing more comes: flushing ends every entry.
        var (expected, found): ([String], [String]) = ([], [])
        _ = eventually(within: .seconds(3)) {
            _ = try? conntrack.waitForLine(containing: "nothing", within: .milliseconds(50))
            _ = try? own.waitForLine(containing: "nothing", within: .milliseconds(50))
            (expected, found) = (words(conntrack), words(own))
            return !expected.isEmpty && expected.count == found.count
        }

        #expect(found == expected)
        #expect(!found.isEmpty)
        own.send(signal: SIGINT)
        #expect(try own.waitForExit() == .exited(0))
    }

    private func words(_ command: RunningCommand) -> [String] {
        command.standardOutput.split(separator: "\n").map { $0.components(separatedBy: " [USERSPACE]")[0] }.sorted()
    }

    @Test func `top counts those entries that conntrack lists`() throws {
        let namespace = try namespace()
        _ = try namespace.tcpFlows(.ipv4, count: 3)
        _ = try namespace.udpFlows(.ipv6, count: 2)
        for filter in [
            ["-p", "tcp"], ["-f", "ipv6"], ["-w", "7"], ["-m", "0x1234"], ["-u", "ASSURED", "-p", "tcp"],
        ] {
            let listed = try namespace.output(of: Command("conntrack", arguments: ["-L"] + filter))
            let top = try namespace.output(
                of: Command(try Repository.builtBinary(), arguments: ["top", "--json"] + filter))
            let count = listed.split(separator: "\n").count
            #expect(top.contains("\"entries\":\(count),"), "\(filter) \(listed) \(top)")
        }
    }

    @Test func `every line of JSON is an object, and --count ends it`() throws {
        let namespace = try namespace()
        let own = try start(namespace, events(["--format", "json", "--count", "20"]))
        try makeTraffic(namespace)

        #expect(try own.waitForExit() == .exited(0))
        let lines = own.standardOutput.split(separator: "\n")
        #expect(lines.count == 20)
        struct Event: Decodable {
            var event: String
            var time: String
            var original: Tuple
            var reply: Tuple

            struct Tuple: Decodable {
                var source: String
                var destination: String
            }
        }
        for line in lines {
            let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
            #expect(["new", "update", "destroy"].contains(event.event))
            #expect(event.original.source == event.reply.destination || event.reply.destination == "127.0.0.9")
        }
    }

    @Test(arguments: sources)
    func `a storm does not end it, and what it printed and what it lost is what was made`(_ source: String) throws {
        let namespace = try TestNamespace()
        let folder = try TemporaryDirectory()
        let binary = try Repository.builtBinary()
        let (output, errors) = (folder.path(of: "out"), folder.path(of: "err"))
        let shell =
            "exec \(binary) events -e NEW --source \(source) --receive-buffer 4K >\(output) 2>\(errors)"
        let own = try start(namespace, Command("sh", "-c", shell))
        #expect(try namespace.makeEntries(count: 20_000) == 20_000)
        var (printed, lost) = (0, 0)
        let isAccounted = try eventually(within: .seconds(20)) {
            printed = try readFile(output).split(separator: "\n").count
            lost = try readFile(errors).split(separator: "\n").reduce(0) { sum, line in
                sum + (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            }
            return printed + lost == 20_000
        }

        #expect(isAccounted, "\(printed) printed, \(lost) lost")
        #expect(lost > 0)
        #expect(printed > 0)
        own.send(signal: SIGTERM)
        #expect(try own.waitForExit() == .exited(0))
    }

    @Test func `a pipe that nobody reads stops nothing but it, and a signal ends it`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        let own = try start(namespace, events([]))
        // 20,000 lines are more than a pipe holds.
        #expect(try namespace.makeEntries(count: 20_000) == 20_000)
        try watch.waitForMetrics("20,000 events") { $0.events("new") == 20_000 }

        own.send(signal: SIGTERM)
        let isOver = eventually { ((try? readFile("/proc/\(own.process)/stat")) ?? "").contains(") Z ") }
        #expect(isOver)
        #expect(try own.waitForExit() == .exited(0))
        #expect(own.standardOutput.hasSuffix("\n") || !own.standardOutput.isEmpty)
    }

    @Test func `a reader that goes away ends it, though nothing happens`() throws {
        let namespace = try TestNamespace()
        let binary = try Repository.builtBinary()
        let own = try Command("sh", "-c", "\(binary) events | true; echo ended").start(in: namespace)
        try own.waitForLine(containing: "ended")
        #expect(try own.waitForExit() == .exited(0))
        #expect(own.standardError == "")
    }

    @Test func `a person sees an event at once`() throws {
        let namespace = try TestNamespace()
        let own = try start(namespace, events(["--format", "table"]))
        #expect(try namespace.makeEntries(count: 1) == 1)
        let line = try own.waitForLine(containing: "NEW")
        #expect(line.contains("udp"))
        #expect(!line.contains("\u{1b}"))
    }
}
