// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// Who listens while entries are made.
enum Audience: Hashable {
    case nobody
    /// A floor of BenchmarkFloors, with options.
    case floor(String, [String])
    /// `conntrack-mon watch`.
    case watch(source: String, events: String)
    /// `conntrack -E >/dev/null`, with so many bytes of receive buffer, which the kernel doubles.
    case conntrack(buffer: Int?)
    /// `conntrack-mon events >/dev/null`.
    case events

    static let drop = Audience.floor("drop", [])
    static let bpfFloor = Audience.floor("bpf", [])
    static let netlinkFloor = Audience.floor("netlink", [])

    static func watch(_ source: String) -> Audience { .watch(source: source, events: "new,destroy") }
}

/// A program that listens in a namespace, joined and at rest when `init` returns.
final class Listener {
    /// What came of it.
    struct Received {
        var events: Double
        /// By reason; none where the program does not count.
        var lost: [String: Double] = [:]
    }

    private let audience: Audience
    private let process: RunningCommand
    private let folder: TemporaryDirectory

    init(_ audience: Audience, in namespace: TestNamespace) throws {
        self.audience = audience
        folder = try TemporaryDirectory()
        process = try Listener.command(audience, folder).start(in: namespace)
        switch audience {
        case .nobody:
            break
        case .floor:
            try process.waitForLine(containing: "ready")
        case .watch(let source, _):
            try waitForWatch(source)
        case .conntrack(let buffer):
            try waitForGroups()
            guard let buffer else { break }
            // Its own -b leaves the event socket as it is (conntrack-tools 1.4.7).
            _ = try floor("buffer", "pid=\(process.process)", "buffer=\(buffer)", in: namespace)
        case .events:
            try waitForGroups()
        }
        rest(within: .seconds(3))
    }

    private static func command(_ audience: Audience, _ folder: TemporaryDirectory) -> Command {
        switch audience {
        case .nobody:
            return Command("sleep", "1000")
        case .floor(let name, let options):
            return Command(Programs.floors, arguments: [name] + options)
        case .watch(let source, let events):
            return Command(
                Programs.monitor, "watch", "--format", "none", "--source", source, "--events", events,
                "--run-dir", folder.path, "--textfile", folder.path(of: "watch.prom"))
        case .conntrack:
            return Command("sh", "-c", "exec conntrack -E >/dev/null 2>&1")
        case .events:
            return Command("sh", "-c", "exec \"$0\" events >/dev/null 2>&1", Programs.monitor)
        }
    }

    private func waitForGroups() throws {
        guard try eventually({ try joined() }) else { throw TestKitError("\(audience) does not listen") }
    }

    /// A source asked for by name must be the one that is used.
    private func waitForWatch(_ source: String) throws {
        guard eventually({ access(folder.path(of: "watch.prom"), F_OK) == 0 }) else {
            _ = try process.waitForExit(within: .zero)
            throw TestKitError("watch does not begin: \(firstWords)")
        }
        guard source == "bpf" || source == "netlink" else { return }
        let line = try process.waitForLine(on: .stderr, "about events") {
            $0.contains("monitor ") && $0.contains("events")
        }
        guard line.lowercased().contains("events by \(source)") else {
            throw TestKitError("watch --source \(source): \(line)")
        }
    }

    private var firstWords: String {
        process.standardError.split(separator: "\n").first.map(String.init) ?? "it says nothing"
    }

    private var sockets: [[Substring]] {
        get throws {
            try readFile("/proc/\(process.process)/net/netlink").split(separator: "\n").dropFirst()
                .map { $0.split(separator: " ") }
                .filter { $0.count >= 9 && $0[1] == "12" }
        }
    }

    /// NETLINK_NETFILTER sockets of the namespace with a group: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode.
    private func joined() throws -> Bool {
        try sockets.contains { $0[3] != "00000000" }
    }

    /// Messages the kernel had no room for, of all listening sockets in the namespace.
    func overruns() throws -> Double {
        try sockets.filter { $0[3] != "00000000" }.compactMap { Double($0[8]) }.reduce(0, +)
    }

    func processorTime() throws -> ProcessorTime {
        try ProcessorTime(of: process.process)
    }

    /// Waits until it uses less than 2 % of a core for a tenth of a second: all that was sent has been dealt with.
    func rest(within limit: Duration = .seconds(30)) {
        let deadline = Deadline(limit)
        var before = (try? processorTime().whole) ?? 0
        repeat {
            pause(.milliseconds(100))
            let now = (try? processorTime().whole) ?? 0
            if now &- before < 2_000_000 { return }
            before = now
        } while !deadline.passed
    }

    /// Resident memory in MB, without the BPF ring, which is mapped twice in a row and counted for each.
    func residentMegabytes() throws -> Double {
        let status = try readFile("/proc/\(process.process)/status")
        let whole = try Listener.kilobytes(after: "VmRSS:", in: status.split(separator: "\n"))
        var ring = 0.0
        var inRing = false
        for line in try readFile("/proc/\(process.process)/smaps").split(separator: "\n") {
            if line.hasPrefix("Rss:") {
                if inRing { ring += try Listener.kilobytes(after: "Rss:", in: [line]) }
            } else if line.prefix(while: { $0 != " " }).contains("-") {
                inRing = line.contains("bpf-map") || line.contains("bpf_map")
            }
        }
        return (whole - ring) / 1024
    }

    private static func kilobytes(after name: String, in lines: [Substring]) throws -> Double {
        for line in lines where line.hasPrefix(name) {
            if let value = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) }) { return value }
        }
        throw TestKitError("no \(name)")
    }

    /// Ends it. nil for those that do not count.
    func stop() throws -> Received? {
        process.send(signal: audience == .nobody ? SIGKILL : SIGTERM)
        guard try process.waitForExit(within: .seconds(20)) != nil else {
            throw TestKitError("\(audience) does not end")
        }
        switch audience {
        case .nobody, .conntrack, .events, Audience.drop:
            return nil
        case .floor:
            return Received(events: try Fields(process.standardOutput)["received"])
        case .watch:
            return try Listener.received(in: readFile(folder.path(of: "watch.prom")))
        }
    }

    private static func received(in textfile: String) -> Received {
        var received = Received(events: 0)
        for line in textfile.split(separator: "\n") {
            guard let value = line.split(separator: " ").last.flatMap({ Double($0) }) else { continue }
            if line.hasPrefix("conntrack_events_total{") {
                received.events += value
            } else if line.hasPrefix("conntrack_events_lost_total{") {
                let words = line.split(separator: "\"")
                if words.count > 1 { received.lost[String(words[1]), default: 0] += value }
            }
        }
        return received
    }
}
