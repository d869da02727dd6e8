// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// What the generator of entries did.
struct Made {
    var made: Double
    var makeSeconds: Double
    var makeCPU: Double
    var deleted: Double
    var deleteSeconds: Double
    var deleteCPU: Double

    var events: Double { made + deleted }
    /// Entries made and deleted a second.
    var rate: Double { events / (makeSeconds + deleteSeconds) }
    /// The generator's CPU time an entry made or deleted, in seconds.
    var cpu: Double { (makeCPU + deleteCPU) / events }

    /// Makes and deletes `count` entries at full speed.
    init(count: Int, in namespace: TestNamespace) throws {
        let fields = try floor("entries", "count=\(count)", in: namespace)
        made = try fields["made"]
        makeSeconds = try fields["make_seconds"]
        makeCPU = try fields["make_cpu"]
        deleted = try fields["deleted"]
        deleteSeconds = try fields["delete_seconds"]
        deleteCPU = try fields["delete_cpu"]
    }
}

/// A namespace of its own that tracks what goes over lo, and how much the table may be loaded with.
struct Arena {
    let namespace: TestNamespace
    /// Three quarters of the host's limit at most: nothing is evicted or refused.
    let room: Int

    init() throws {
        namespace = try TestNamespace()
        try namespace.trackConnections()
        let limit = try Limit.read()
        room = limit == 0 ? .max : limit / 4 * 3
    }

    func entries(_ wanted: Int) -> Int { min(wanted, room) }

    /// Connections through real packets: how many, in how many seconds, and with how much CPU time of their sender.
    func connect(_ count: Int) throws -> (connections: Double, seconds: Double, cpu: Double) {
        let before = try tracked()
        let fields = try floor("packets", "count=\(entries(count))", in: namespace)
        let connections = Double(try tracked() - before)
        try namespace.flushEntries()
        return (connections, try fields["seconds"], try fields["cpu"])
    }

    /// Has entries time out as soon as they are made.
    func forgetAtOnce() throws {
        try namespace.setSysctl("netfilter/nf_conntrack_udp_timeout", "0")
    }

    /// After `forgetAtOnce`: connections of one packet each, `rate` a second or, with 0, as fast as one core sends them.
    /// Each is a NEW by its packet and a DESTROY by a later one that finds it timed out, or by a dump at the end: not by
    /// a program's request.
    func passBy(_ count: Int, rate: Int) throws -> Events {
        let fields = try floor("packets", "count=\(entries(count))", "rate=\(rate)", in: namespace)
        for _ in 0..<100 {
            guard try tracked() > 0 else {
                let sent = try fields["sent"]
                return Events(count: 2 * sent, rate: sent / (try fields["seconds"]))
            }
            _ = try floor("dump", in: namespace)
        }
        throw TestKitError("entries that have timed out do not go away")
    }

    private func tracked() throws -> Int {
        Int(try namespace.read("/proc/sys/net/netfilter/nf_conntrack_count").filter { $0 != "\n" }) ?? 0
    }
}

/// nf_conntrack_max, which is writable in the initial network namespace alone.
enum Limit {
    private static let path = "/proc/sys/net/netfilter/nf_conntrack_max"

    static func read() throws -> Int {
        guard let limit = Int(try readFile(path).filter { $0 != "\n" }) else {
            throw TestKitError("\(path): no number")
        }
        return limit
    }

    /// Runs `body` with leave to write other limits, and puts back what was there. Who guards us does the same if we
    /// are killed: it is told first.
    static func change<T>(_ body: (_ usual: Int, _ write: (Int) throws -> Void) throws -> T) throws -> T {
        let usual = try read()
        guard let descriptor = getenv("BENCH_GUARD").flatMap({ Int32(String(cString: $0)) }) else {
            throw TestKitError("nobody would put nf_conntrack_max back: run by make bench")
        }
        let text = Array("\(usual)\n".utf8)
        guard Glibc.write(descriptor, text, text.count) == text.count else { throw SystemError("tell the guard") }
        defer { try? writeFile("\(usual)", to: path) }
        return try body(usual) { try writeFile("\($0)", to: path) }
    }
}
