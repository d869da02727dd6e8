// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What the last minute brought and who made it, as far as new entries tell, for the text and the values of usage_high.

extension Rules {
    /// A talker is named when it made at least this share of the last minute's new entries.
    private static var namedShare: Double { 0.2 }
    /// Of fewer new entries no share is told.
    private static var enough: UInt64 { 100 }

    /// "in the last minute new 4100/s, filling by 12.5/s, 83.2% of new seen from 203.0.113.9, at least 80.1% to
    /// 198.51.100.7:53/udp": one time for all of it. nil when nothing of it is known.
    static func lastMinute(_ sample: Sample) -> String? {
        let isWhole = sample.newRate == nil || sample.newRateSpan >= .seconds(50)
        let parts = [newRate(sample), isWhole ? fillRate(sample) : nil, whoFills(sample)].compactMap { $0 }
        guard !parts.isEmpty else { return nil }
        let span = sample.newRate == nil ? sample.talkers?.minute.span : sample.newRateSpan
        return "\(inTheLast(span ?? .seconds(60))) " + parts.joined(separator: ", ")
    }

    private static func newRate(_ sample: Sample) -> String? {
        sample.newRate.map { rate in
            "new \(fixed(rate, rate < 10 ? 1 : 0))/s\(sample.isNewRateEstimated ? " (estimated)" : "")"
        }
    }

    private static func fillRate(_ sample: Sample) -> String? {
        sample.notableFillRate.flatMap { $0 > 0 ? "filling by \(fixed($0, 1))/s" : nil }
    }

    private static func whoFills(_ sample: Sample) -> String? {
        let (source, destination) = named(sample)
        let from = source.map { "\(text($0)) of new seen from \($0.talker.name)" }
        let to = destination.map { "\(text($0))\(source == nil ? " of new seen" : "") to \($0.talker.name)" }
        let parts = [from, to].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// The command that tells apart what fills the table: whom one destination or one source hides, else of what kind it
    /// is.
    static func top(for sample: Sample) -> String {
        let (source, destination) = named(sample)
        return "conntrack-mon top --by "
            + (destination != nil ? "destination,port" : source != nil ? "source" : "state,protocol")
    }

    /// Whether somebody is named.
    static func namesTalkers(_ sample: Sample) -> Bool {
        let (source, destination) = named(sample)
        return source != nil || destination != nil
    }

    /// The same for programs.
    static func nameTalkers(of sample: Sample, in verdict: inout Verdict) {
        let (source, destination) = named(sample)
        if let source {
            verdict.values["top_source_ratio"] = source.share
            verdict.details["top_source"] = source.talker.name
        }
        if let destination {
            verdict.values["top_destination_ratio"] = destination.share
            verdict.details["top_destination"] = destination.talker.name
        }
    }

    private typealias Named = (talker: Talker, share: Double)

    private static func named(_ sample: Sample) -> (source: Named?, destination: Named?) {
        guard let window = sample.talkers?.minute, window.new >= enough else { return (nil, nil) }
        func first(_ list: TalkerList) -> Named? {
            guard let talker = list.top.first, let share = window.share(of: talker), share >= namedShare else {
                return nil
            }
            return (talker, share)
        }
        return (first(window.sources), first(window.destinations))
    }

    private static func text(_ named: Named) -> String {
        // Rounded down: it is what is certain.
        let share = percent((named.share * 1000).rounded(.down) / 1000)
        return named.talker.atLeast == named.talker.atMost ? share : "at least \(share)"
    }
}
