// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Reads what the namespace's own protocols counted, from /proc/net/snmp. The kernel sums a hundred counters over all CPUs
/// for it, so it is read only now and then.
struct TrafficReader: ~Copyable {
    private static let every = Duration.seconds(10)

    private let path: String?
    private var file: KernelFile?
    private var readAt: MonotonicTime?

    /// Reads `path`; nil = there is nothing to be read here.
    init(_ path: String?) {
        self.path = path
    }

    /// nil when it is not time yet, and where it cannot be had.
    mutating func read(at now: MonotonicTime) -> Traffic? {
        guard let path else { return nil }
        if let readAt, now - readAt < TrafficReader.every { return nil }
        readAt = now
        do throws(SystemError) {
            if file == nil { file = try KernelFile(path) }
            guard let text = try file?.text(limit: 16384) else { return nil }
            return parseTraffic(text)
        } catch {
            file = nil
            return nil
        }
    }
}

/// What /proc/net/snmp says: lines in pairs, names and then numbers, each pair under its protocol's name. nil when it does
/// not say how many TCP connections were opened.
func parseTraffic(_ text: String) -> Traffic? {
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("Tcp:") }.map { $0.split(separator: " ") }
    guard lines.count == 2, lines[0].count == lines[1].count else { return nil }
    func value(_ name: String) -> UInt64? {
        lines[0].firstIndex { $0 == name }.flatMap { UInt64(lines[1][$0]) }
    }
    guard let active = value("ActiveOpens"), let passive = value("PassiveOpens") else { return nil }
    return Traffic(tcpOpens: active + passive)
}
