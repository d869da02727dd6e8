// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackEngine
package import ConntrackModel

/// What a recording begins with: all that its engine was told before it saw anything.
package struct RecordingStart: Sendable {
    /// The format's version. A reader refuses what is newer than itself.
    static let format = 1
    /// Longer than any duration that is meant.
    static let longest = Duration.seconds(100 * 365 * 86_400)

    /// Which program made it.
    package var version: String
    /// What its engine was told.
    package var plan: EnginePlan
    /// Its hash.
    package var seed: HashSeed
    /// What it had from a state file.
    package var restored: Restored?
    /// When, by both clocks.
    package var moment: Moment
    /// Which file of a recording this is: 0 is the first, with all from the beginning.
    package var part: Int

    /// The beginning of a recording.
    package init(plan: EnginePlan, seed: HashSeed, restored: Restored?, at moment: Moment, part: Int = 0) {
        version = conntrackMonVersion
        self.plan = plan
        self.seed = seed
        self.restored = restored
        self.moment = moment
        self.part = part
    }

    var entry: String {
        let whose = "\(plan.identity.host), network namespace \(plan.identity.netns)"
        var lines = JournalLines("start", at: moment, "conntrack-mon \(version) records \(whose)")
        lines.add("FORMAT", RecordingStart.format)
        lines.add("VERSION", version)
        lines.add("PART", part)
        lines.add(moment)
        lines.add("KERNEL", plan.kernel.split(separator: "\n").first ?? "")
        lines.add("PLAN", recordedJSON(plan))
        lines.add("SEED", recordedJSON(seed))
        if let restored { lines.add("RESTORED", recordedJSON(restored)) }
        return lines.text
    }

    init(_ fields: JournalFields) throws(RecordingFault) {
        let format: Int = try fields.value("FORMAT")
        guard format <= RecordingStart.format else {
            throw RecordingFault("of format \(format): this conntrack-mon reads up to \(RecordingStart.format)")
        }
        version = try fields.value("VERSION")
        part = try fields.value("PART")
        moment = try fields.moment()
        plan = try fields.json("PLAN", as: EnginePlan.self)
        seed = try fields.json("SEED", as: HashSeed.self)
        let hasRestored = (try? fields.text("RESTORED")) != nil
        restored = hasRestored ? try fields.json("RESTORED", as: Restored.self) : nil
        guard plan.holdsTogether, restored.map({ Self.isPossible($0.peakKnownFor) }) ?? true else {
            throw RecordingFault("whose settings cannot be")
        }
    }

    fileprivate static func isPossible(_ duration: Duration) -> Bool { duration >= .zero && duration <= longest }
}

extension EnginePlan {
    /// A file may be damaged: what is reckoned with must be possible.
    fileprivate var holdsTogether: Bool {
        let holds = [
            rules.warnHold, rules.critHold, rules.clearHold, rules.repeatEvery, rules.unloadHold, rules.settle,
            rules.bootGrace, rules.adopt, rules.forecast, textfileInterval, limits.cost, duration ?? .zero,
        ]
        let steps = [sample, interval]
        let shares = [rules.warn, rules.crit, rules.clearMargin, limits.share]
        return (holds + steps).allSatisfy(RecordingStart.isPossible) && steps.allSatisfy { $0 > .zero }
            && shares.allSatisfy { $0 >= 0 && $0 <= 1 }
    }
}
