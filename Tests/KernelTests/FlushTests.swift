// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Most of the table goes at once: who did that, as the kernel tells it.
/// A process, since the flush of a real kernel comes between its looks, its reads of the events and its ticks.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"), .program("ip"))))
struct FlushTests {
    private func lines(_ watch: Watch, _ name: String) -> [String] {
        watch.process.standardError.split(separator: "\n").map(String.init).filter { $0.contains("NOTICE " + name) }
    }

    private func waitForEntries(_ namespace: TestNamespace, _ holds: (UInt64) -> Bool) throws {
        #expect(try eventually(within: .seconds(20)) { holds(try namespace.countedEntries()) })
    }

    @Test func `conntrack -F is said once, at whatever time it comes`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--sample", "100ms", "--interval", "400ms")
        let rounds = 40
        for round in 1...rounds {
            #expect(try namespace.makeEntries(count: 1200) == 1200)
            try watch.waitForStatus("the entries of round \(round)") {
                $0.events?.new == UInt64(round * 1200) && $0.entries == 1200
            }
            // That was a tick: later and later after one.
            usleep(UInt32(round * 10_000))
            _ = try namespace.output(of: Command("conntrack", "-F"))
            try watch.waitForLine("NOTICE table_flushed")
        }

        try watch.stop()
        let said = lines(watch, "table_flushed")
        #expect(said.count == rounds)
        for line in said {
            #expect(
                line.contains("1200 of 1200 entries were deleted by a program within a second (conntrack -F"), "\(line)"
            )
        }
    }

    @Test func `it does not wait for the end of a long interval`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--sample", "100ms", "--interval", "1h")
        #expect(try namespace.makeEntries(count: 1200) == 1200)
        try waitForEntries(namespace) { $0 == 1200 }
        // A few looks: nothing tells of them before the hour is over.
        usleep(500_000)
        _ = try namespace.output(of: Command("conntrack", "-F"))
        try watch.waitForLine("NOTICE table_flushed")

        try watch.stop()
        #expect(lines(watch, "table_flushed").count == 1)
    }

    @Test func `entries that expire together are not said`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--sample", "100ms", "--interval", "1s")
        #expect(try namespace.makeEntries(count: 6000, timeoutSeconds: 2) == 6000)
        try watch.waitForStatus("6,000 entries") { $0.events?.new == 6000 }
        usleep(2_200_000)
        // A dump evicts what has expired, all at once.
        _ = try namespace.output(of: Command("conntrack", "-L"))
        try waitForEntries(namespace) { $0 == 0 }
        try watch.waitForStatus("6,000 destroy events") { $0.events?.destroy == 6000 }
        // What would be said is said within two seconds.
        let status = try watch.waitForStatus("an empty table") { $0.events?.destroy == 6000 && $0.entries == 0 }
        try watch.waitForStatus("three seconds on") { $0.timestamp >= status.timestamp + 3 }

        try watch.stop()
        #expect(lines(watch, "table_flushed") == [])
        #expect(lines(watch, "connections_forgotten") == [])
    }

    enum End: String, CaseIterable {
        case address, link
    }

    @Test(arguments: End.allCases)
    func `open connections that masquerade forgets are said, and nobody is said to have deleted them`(
        _ end: End
    ) throws {
        let (client, server) = (try TestNamespace(), try TestNamespace())
        func ip(_ namespace: TestNamespace, _ arguments: String...) throws {
            _ = try namespace.output(of: Command("ip", arguments: arguments))
        }
        try ip(client, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", server.path)
        for (namespace, link, address) in [(client, "v0", "192.0.2.1/24"), (server, "v1", "192.0.2.2/24")] {
            try ip(namespace, "addr", "add", address, "dev", link)
            try ip(namespace, "link", "set", link, "up")
        }
        try client.nft("table ip n { chain p { type nat hook postrouting priority srcnat; oif v0 masquerade; }; }")
        let watch = try Watch(in: client, "--sample", "100ms", "--interval", "1s")
        let count = 1100
        let connections = try Connections(count, from: client, to: server, (192, 0, 2, 2))
        defer { connections.close() }
        try watch.waitForStatus("\(count) entries") { $0.events?.new == UInt64(count) }

        switch end {
        case .address: try ip(client, "addr", "del", "192.0.2.1/24", "dev", "v0")
        case .link: try ip(client, "link", "set", "v0", "down")
        }
        try watch.waitForLine("NOTICE connections_forgotten")
        try watch.stop()

        let said = lines(watch, "connections_forgotten")
        #expect(said.count == 1)
        let text = "\(count) established connections of \(count) entries were dropped from the table within a second"
        #expect(said.first?.contains(text) == true, "\(said)")
        #expect(lines(watch, "table_flushed") == [])
    }
}

/// TCP connections that stay open: those who connect, and one who listens and accepts none.
private struct Connections {
    private var descriptors: [Int32] = []

    init(
        _ count: Int, from client: TestNamespace, to server: TestNamespace, _ address: (UInt8, UInt8, UInt8, UInt8)
    ) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count) + 1024))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(7777).bigEndian
        withUnsafeBytes(of: address) { name.sin_addr.s_addr = $0.loadUnaligned(as: UInt32.self) }
        let place = name
        descriptors = [
            try server.run {
                let descriptor = try Connections.socket()
                try Connections.check("bind", Connections.with(place) { bind(descriptor, $0, $1) })
                try Connections.check("listen", listen(descriptor, Int32(count)))
                return descriptor
            }
        ]
        descriptors += try client.run {
            try (0..<count).map { _ in
                let descriptor = try Connections.socket()
                try Connections.check("connect", Connections.with(place) { connect(descriptor, $0, $1) })
                return descriptor
            }
        }
    }

    func close() {
        for descriptor in descriptors { Glibc.close(descriptor) }
    }

    private static func socket() throws -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try check("socket", descriptor)
        return descriptor
    }

    private static func check(_ what: String, _ result: Int32) throws {
        guard result >= 0 else { throw TestKitError("\(what): errno \(errno)") }
    }

    private static func with(_ name: sockaddr_in, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
