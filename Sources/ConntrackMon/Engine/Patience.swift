// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What waits for a reading before it is judged, in order; not for long, since a file system that hangs must not silence
/// an alert.
struct Patience {
    /// A reading of the settings.
    struct Settings {
        var values: [(name: String, value: UInt64)]
        var moment: Moment
        /// It differs from the one before.
        var isChanged: Bool
        /// Since when the change in it waits.
        var since: Moment

        private static let prefix = "nf_conntrack_"

        /// Without the prefix and the limit, which has a watch of its own.
        var withoutPrefix: [String: UInt64] {
            let named = values.filter { $0.name != "nf_conntrack_max" }.map { name, value in
                (name.hasPrefix(Settings.prefix) ? String(name.dropFirst(Settings.prefix.count)) : name, value)
            }
            return Dictionary(named) { first, _ in first }
        }
    }

    /// A look at the table, or what came after one and is not to be said before it.
    enum Item {
        case look(TableLook)
        case line(String, at: Moment)

        var moment: Moment {
            switch self {
            case .look(let look): look.moment
            case .line(_, let moment): moment
            }
        }
    }

    /// A configuration is read within milliseconds.
    private static let most = Duration.milliseconds(100)
    /// But at the start from a cold disk, by a machine that is just booting, and there is nothing older to judge by.
    private static let mostAtFirst = Duration.seconds(5)

    private(set) var items: [Item] = []
    /// Judged before the looks: a look may wait for it.
    var settings: Settings?
    private var hasJudged = false

    var isWaiting: Bool { settings != nil || !items.isEmpty }

    /// A newer reading takes the place of one that waits, and its change with it.
    mutating func take(_ reading: Settings) {
        var reading = reading
        if let waiting = settings, waiting.isChanged {
            reading.isChanged = true
            reading.since = waiting.since
        }
        settings = reading
    }

    mutating func add(_ item: Item) {
        items.append(item)
    }

    /// The first of them waits no longer.
    mutating func removeFirst() {
        if case .look = items.removeFirst() { hasJudged = true }
    }

    func isOver(_ moment: Moment, at now: MonotonicTime) -> Bool {
        now - moment.monotonic >= most
    }

    /// When the first of them waits no longer.
    var until: MonotonicTime? {
        (settings?.since ?? items.first?.moment).map { $0.monotonic + most }
    }

    private var most: Duration { hasJudged ? Patience.most : Patience.mostAtFirst }
}

/// What is to be done as soon as it can be: since when each waits.
struct Due {
    /// An interval is to be closed.
    var tick: Moment?
    /// The interval's look is late, and is waited for since then.
    var lookSince: MonotonicTime?
    /// The interval needs a reading of the settings.
    var needsSettings = false
    /// Something was said: the files are to be written.
    var files: Moment?
    /// Somebody wants the status, and there is none yet.
    var show = false
    /// What is live is to be accepted.
    var accept: Moment?
    /// The end.
    var stop: Moment?

    /// The reader catches up with what waits in the kernel before it looks: some tenths of a second.
    static let longestForLook = Duration.milliseconds(500)

    /// A look is told without waking anybody, so it is looked for again and again.
    var looksAgainAt: MonotonicTime? { lookSince }

    var isNothing: Bool { tick == nil && files == nil && accept == nil && stop == nil }
}
