// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials

/// What these tests read of a status: a line of `watch --format json`, `status --json`, status.json.
struct Status: Decodable {
    struct Events: Decodable {
        var new: UInt64
        var update: UInt64
        var destroy: UInt64
        var newByProtocol: [String: UInt64]
    }

    struct Lost: Decodable {
        var overrun: UInt64
        var truncated: UInt64
        var dropped: UInt64
        var exact: Bool

        var total: UInt64 { overrun + truncated + dropped }
    }

    struct Alert: Decodable {
        var name: String
        var level: String
        var subject: String?
        var summary: String
    }

    var up: Bool
    var netns: String
    var entries: UInt64?
    var limit: UInt64?
    var buckets: UInt64?
    var stats: [String: UInt64]?
    var events: Events?
    var eventsLost: Lost?
    var alerts: [Alert]

    init(_ json: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Status.self, from: Data(json.utf8))
    }

    /// Everything the kernel sent: counted or lost. With a ring the kernel counts both.
    func sent(_ source: String) -> UInt64 {
        (events.map { $0.new + $0.update + $0.destroy } ?? 0) + (source == "bpf" ? 0 : eventsLost?.total ?? 0)
    }

    /// The level an alert fires at.
    func level(of alert: String) -> String? {
        alerts.first { $0.name == alert }?.level
    }
}
