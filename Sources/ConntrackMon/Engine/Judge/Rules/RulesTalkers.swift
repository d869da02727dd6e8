// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// Who fills the table, as far as new entries tell, for the text and the values of usage_high.

extension Rules {
    /// A talker is named when it made at least this share of the last minute's new entries.
    private static var namedShare: Double { 0.2 }
    /// Of fewer new entries no share is told.
    private static var enough: UInt64 { 100 }

    /// ", last 58.2s: at least 83.2% of 41000 new seen from 203.0.113.9, at least 80.1% to 198.51.100.7:53/udp".
    static func whoFills(_ sample: Sample) -> String {
        let (source, destination) = named(sample)
        guard let window = sample.talkers?.minute, source != nil || destination != nil else { return "" }
        let of = " of \(window.new) new seen"
        let from = source.map { "\(text($0))\(of) from \($0.talker.name)" }
        let to = destination.map { "\(text($0))\(source == nil ? of : "") to \($0.talker.name)" }
        let span = readable(seconds: window.span.inSeconds)
        return ", last \(span): " + [from, to].compactMap { $0 }.joined(separator: ", ")
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
