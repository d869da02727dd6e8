// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Decides when a reading of the settings may be believed, and as what: written, or taken away by a reload.
///
/// A reload may have come before a reading that no look has shown yet. So one that differs waits for a later look.
struct SettingsWatch: Sendable {
    private var watch = ParameterWatch()
    /// The settings were not read yet since a reload, or since the boot or reload that a state file tells of.
    private var areReset = false
    /// When that was; nil = before the monitor looked.
    private(set) var resetAt: MonotonicTime?
    /// A reading that differs, until a later look shows that it was not a reload.
    private var doubtful: (values: [String: UInt64], moment: Moment)?
    /// What a reload took away, for the line about the limit, as of the last reading.
    private(set) var aside: String?
    /// nf_conntrack_buckets: a reload may bring a hash of another size, which tells where the new limit comes from.
    var buckets: UInt64?

    /// The module came back.
    mutating func reset(at time: MonotonicTime) {
        areReset = true
        resetAt = time
    }

    mutating func configure(_ parameters: [String: ConfiguredParameter]) {
        watch.configured = parameters
    }

    /// Takes a reading. `isSettling`: a reload waits to be judged.
    mutating func observe(_ values: [String: UInt64], at moment: Moment, isSettling: Bool) -> [Announcement] {
        guard !values.isEmpty else { return [] }
        doubtful = nil
        guard areReset || isSettling || !watch.differs(values) else {
            doubtful = (values, moment)
            return []
        }
        return take(values, at: moment, isSettling: isSettling)
    }

    /// Takes a look, after which a reading before it is clear. `isWhole`: it shows the table.
    mutating func observe(_ look: TableLook, isWhole: Bool, isSettling: Bool) -> [Announcement] {
        guard let reading = doubtful, look.moment.monotonic > reading.moment.monotonic else { return [] }
        // Without a table nothing is known; there will be another reading.
        if look.absent { doubtful = nil }
        guard isWhole else { return [] }
        doubtful = nil
        return take(reading.values, at: reading.moment, isSettling: isSettling)
    }

    private mutating func take(_ values: [String: UInt64], at moment: Moment, isSettling: Bool) -> [Announcement] {
        let notices = watch.observe(values, isReload: areReset || isSettling)
        // A reading from before the reload says nothing of what it took away.
        if resetAt.map({ moment.monotonic > $0 }) ?? true { areReset = false }
        aside = watch.aside
        buckets = values["buckets"] ?? buckets
        return notices.map { $0.announcement(at: moment) }
    }

    /// What is live now is accepted.
    mutating func acceptLive() {
        if let reading = doubtful { _ = watch.observe(reading.values, isReload: true) }
        doubtful = nil
        watch.acceptLive()
        aside = watch.aside
    }

    /// What the state file says; `isReload`: a boot or a reload came since.
    mutating func restore(_ kept: ParameterWatch.Kept, isReload: Bool) {
        watch.restore(kept)
        areReset = isReload
    }

    var keep: ParameterWatch.Kept { watch.keep }

    /// The buckets there were, where a reload left fewer.
    var lostBuckets: UInt64? { watch.lostBuckets }

    /// The verdict of parameters_reverted.
    func verdict(inInitialNamespace isInitial: Bool) -> Verdict {
        watch.verdict(inInitialNamespace: isInitial)
    }
}
