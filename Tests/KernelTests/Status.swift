// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials

/// What these tests read of a status: a line of `watch --format json`, `status --json`, status.json.
struct Status: Decodable {
    struct Events: Decodable {
        var new: UInt64?
        var update: UInt64?
        var destroy: UInt64?
        var newByProtocol: [String: UInt64]?
        var newPerSecond: Double?
        var destroyPerSecond: Double?
        var estimated: Bool?
        var dutyRatio: Double?
    }

    struct Lost: Decodable {
        var overrun: UInt64
        var truncated: UInt64
        var malformed: UInt64
        var dropped: UInt64
        var exact: Bool

        var total: UInt64 { overrun + truncated + malformed + dropped }
    }

    struct NATPort: Decodable {
        var used: UInt64
        var available: UInt64
    }

    struct Alert: Decodable {
        var name: String
        var level: String
        var subject: String?
        var summary: String
    }

    struct Talker: Decodable {
        var source: String?
        var destination: String?
        var port: UInt16?
        var `protocol`: String?
        var atLeast: UInt64
        var atMost: UInt64
        var ratio: Double

        /// "192.0.2.1 9 udp", "::1 icmpv6".
        var name: String {
            [destination, port.map(String.init), `protocol`].compactMap { $0 }.joined(separator: " ")
        }
    }

    struct TalkerWindow: Decodable {
        var seconds: Double
        var new: UInt64
        var sources: [Talker]
        var destinations: [Talker]
        var otherSourcesAtMost: UInt64
    }

    struct Talkers: Decodable {
        var lastMinute: TalkerWindow
        var sinceStart: TalkerWindow
    }

    var up: Bool
    var timestamp: Double
    var netns: String
    var entries: UInt64?
    var limit: UInt64?
    var buckets: UInt64?
    var stats: [String: UInt64]?
    var events: Events?
    var eventsLost: Lost?
    var eventsReason: String?
    var talkers: Talkers?
    var natPorts: [NATPort]?
    var alerts: [Alert]

    init(_ json: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Status.self, from: Data(json.utf8))
    }

    /// Everything the kernel sent: received or lost.
    var sent: UInt64 {
        (events.map { ($0.new ?? 0) + ($0.update ?? 0) + ($0.destroy ?? 0) } ?? 0) + (eventsLost?.total ?? 0)
    }

    /// The level an alert fires at.
    func level(of alert: String) -> String? {
        alerts.first { $0.name == alert }?.level
    }
}
