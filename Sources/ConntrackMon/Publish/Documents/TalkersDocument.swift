// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Who made the new entries, as JSON and status text have it: of those seen, each with its bounds.
public struct TalkersDocument: Codable, Equatable, Sendable {
    /// What was counted in some time.
    public struct Window: Codable, Equatable, Sendable {
        /// How long.
        public var seconds: Double
        /// New entries seen.
        public var new: UInt64
        /// Events of any kind lost meanwhile.
        public var lost: UInt64
        /// Highest first.
        public var sources: [Source]
        /// What a source that is not listed can have at most.
        public var otherSourcesAtMost: UInt64
        /// Highest first.
        public var destinations: [Destination]
        /// What a destination that is not listed can have at most.
        public var otherDestinationsAtMost: UInt64
    }

    /// A source: an IPv4 address, or the /64 of IPv6 addresses.
    public struct Source: Codable, Equatable, Sendable {
        var source: String
        var atLeast: UInt64
        var atMost: UInt64
        /// What is certain, of all that was seen.
        var ratio: Double
    }

    /// A destination before any NAT, with its port where the protocol has ports.
    public struct Destination: Codable, Equatable, Sendable {
        var destination: String
        var port: UInt16?
        var `protocol`: String
        var atLeast: UInt64
        var atMost: UInt64
        /// What is certain, of all that was seen.
        var ratio: Double

        /// "198.51.100.7:443/tcp", "[2001:db8::1]:443/tcp", "198.51.100.7/icmp".
        var name: String {
            guard let port else { return "\(destination)/\(`protocol`)" }
            return "\(destination.contains(":") ? "[\(destination)]" : destination):\(port)/\(`protocol`)"
        }
    }

    /// About the last minute.
    public var lastMinute: Window
    /// Since the monitor began.
    public var sinceStart: Window

    init(_ talkers: Talkers) {
        lastMinute = Window(talkers.minute)
        sinceStart = Window(talkers.sinceStart)
    }
}

extension TalkersDocument.Window {
    init(_ window: TalkerWindow) {
        seconds = StatusDocument.rounded(window.span.inSeconds, 1)
        new = window.new
        lost = window.lost
        sources = window.sources.top.map { talker in
            TalkersDocument.Source(
                source: talker.address, atLeast: talker.atLeast, atMost: talker.atMost,
                ratio: StatusDocument.rounded(window.share(of: talker) ?? 0, 6))
        }
        otherSourcesAtMost = window.sources.othersAtMost
        destinations = window.destinations.top.map { talker in
            TalkersDocument.Destination(
                destination: talker.address, port: talker.port,
                protocol: (talker.protocol ?? IPProtocol(rawValue: 0)).name,
                atLeast: talker.atLeast, atMost: talker.atMost,
                ratio: StatusDocument.rounded(window.share(of: talker) ?? 0, 6))
        }
        otherDestinationsAtMost = window.destinations.othersAtMost
    }
}

// MARK: Text

extension TalkersDocument {
    /// Rows of `status`: a name, and what stands beside it. `isWhole`: more than the last minute's first three.
    func rows(isWhole: Bool) -> [(name: String, value: String)] {
        // Within the first minute they are the same.
        let isSame = sinceStart == lastMinute
        let most = isWhole ? Int.max : 3
        return lastMinute.rows("last minute", most: most)
            + (isSame || !isWhole ? [] : sinceStart.rows("since start", most: most))
    }
}

extension TalkersDocument.Window {
    fileprivate func rows(_ name: String, most: Int) -> [(name: String, value: String)] {
        let loss = lost > 0 ? "; \(grouped(lost)) events were lost, of which nothing is known" : ""
        let header = (name, "\(grouped(new)) new entries seen in \(readable(seconds: seconds))\(loss)")
        guard new > 0 else { return [header] }
        let from = list(
            sources.map { ($0.source, $0.atLeast, $0.atMost, $0.ratio) }, otherSourcesAtMost, "source made", most: most)
        let to = list(
            destinations.map { ($0.name, $0.atLeast, $0.atMost, $0.ratio) }, otherDestinationsAtMost, "destination got",
            most: most)
        return [header] + rows("  from", from) + rows("  to", to)
    }

    private func rows(_ name: String, _ lines: [String]) -> [(name: String, value: String)] {
        lines.enumerated().map { ($0.offset == 0 ? name : "", $0.element) }
    }

    /// Those with a share worth a line; who is left has no more than the last line says.
    private func list(
        _ talkers: [(name: String, atLeast: UInt64, atMost: UInt64, ratio: Double)], _ others: UInt64, _ who: String,
        most: Int
    ) -> [String] {
        let shown = talkers.prefix { $0.ratio >= 0.01 }.prefix(most)
        let rest = shown.count < talkers.count ? talkers[shown.count].atMost : others
        var lines = shown.map { talker in
            let count =
                talker.atLeast == talker.atMost
                ? grouped(talker.atLeast) : "at least \(grouped(talker.atLeast)), at most \(grouped(talker.atMost))"
            return "\(talker.name): \(count) (\(percent(talker.ratio)))"
        }
        let share = percent(Double(rest) / Double(new))
        // "no source made more than 0.12% (9)".
        if rest > 0 { lines.append("no \(lines.isEmpty ? "" : "other ")\(who) more than \(share) (\(grouped(rest)))") }
        return lines
    }
}
