// SPDX-License-Identifier: GPL-3.0-or-later

import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// A judge, what it was shown, and all it said.
struct JudgeRun {
    private(set) var judge: Judge
    private(set) var announcements: [Announcement] = []
    /// What `statsNow` of the samples adds up to, for the means that the collector would make of it.
    private var totals = StatValues()
    private var statistics = StatHistory()

    /// `change` sets what differs from the defaults.
    init(kernel: String? = nil, looksOnce: Bool = false, _ change: (inout RuleSettings) -> Void = { _ in }) {
        var settings = RuleSettings()
        change(&settings)
        judge = Judge(settings: settings, identity: Identity(host: "gw12", netns: "root"))
        judge.kernel = kernel.flatMap { KernelRelease($0) }
        judge.looksOnce = looksOnce
    }

    /// All that was said, in short.
    var said: [String] { announcements.map(\.brief) }

    /// The newest line's text.
    var lastSummary: String { announcements.last?.summary ?? "" }

    /// What has been said since the last call, in short.
    mutating func news() -> [String] {
        defer { announcements = [] }
        return said
    }

    mutating func look(_ look: TableLook) {
        announcements += judge.observe(look)
    }

    mutating func look(
        _ seconds: Double, entries: UInt64? = 100, limit: UInt64? = 1000, unloaded: Bool = false
    ) {
        look(.at(seconds, entries: entries, limit: limit, unloaded: unloaded))
    }

    mutating func sample(_ sample: Sample) {
        var sample = sample
        if let now = sample.statsNow, sample.statsMinute == nil {
            for stat in Stat.allCases { totals[stat] = now[stat].map { (totals[stat] ?? 0) + $0 } ?? totals[stat] }
            sample.stats = totals
            statistics.look(back: &sample, isNew: true)
        }
        announcements += judge.judge(sample)
    }

    /// A sample every second over `seconds`, its look shown first, as the monitor does.
    mutating func samples(
        _ seconds: ClosedRange<Int>, entries: UInt64? = 100, limit: UInt64? = 1000,
        _ change: (inout Sample) -> Void = { _ in }
    ) {
        for second in seconds {
            let sample = Sample.at(Double(second), entries: entries, limit: limit, change)
            look(sample.table)
            self.sample(sample)
        }
    }

    mutating func accept() {
        judge.acceptLive()
    }

    /// sysctl.d asks for `limit`, or for nothing.
    mutating func configure(_ limit: UInt64?, parameters: [String: UInt64] = [:]) {
        let place = "/etc/sysctl.d/90-conntrack.conf"
        judge.configure(
            limit: limit.map { ConfiguredLimit(limit: $0, place: place + ":3") },
            parameters: parameters.mapValues { ConfiguredParameter(value: $0, place: place + ":4") })
    }

    /// A reading of the settings.
    mutating func read(_ seconds: Double, _ parameters: [String: UInt64]) {
        announcements += judge.observe(parameters: parameters, at: .at(seconds))
    }

    /// What a state file says of the time before.
    mutating func restore(
        accepted: UInt64, fall: LimitWatch.Fall? = nil, cause: DropCause = .whileDown, isReload: Bool = false,
        waived: UInt64? = nil, parameters: ParameterWatch.Kept = .init(), peak: UInt64? = nil
    ) {
        let story = "while not watching (4m12s): " + (cause == .reboot ? "rebooted" : isReload ? "reloaded" : "written")
        judge.restore(
            LimitWatch.Past(
                accepted: accepted, fall: fall, cause: cause, story: story, isReload: isReload, waived: waived),
            parameters, peak: peak, peakKnownFor: peak == nil ? .zero : .seconds(80_000))
    }

    /// What fired when the last run ended; this one begins at 0 s.
    mutating func restore(firing alerts: [KeptAlert]) {
        judge.restore(firing: alerts, at: .at(0))
    }

    /// The text of what was said last under `name`.
    func summary(of name: String) -> String {
        announcements.last { $0.name == name }?.summary ?? ""
    }
}
