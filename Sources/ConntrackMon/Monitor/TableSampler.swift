// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import Glibc

/// Looks at the table and listens to uevents about its module.
struct TableSampler: ~Copyable {
    /// What came of one look.
    struct Look {
        /// With what uevents told since the look before.
        var record: cnf_table
        /// Worth waking the main thread for.
        var isNews: Bool
    }

    private var table: TableReader
    private var uevents: UeventSocket?
    private var countsReloads: Bool
    private var last = cnf_table()
    private let thresholds: UsageThresholds
    private var lastLevels: UsageLevels?
    /// The highest count of late: each look takes a sixteenth off it.
    private var high: UInt64 = 0

    init(_ plan: ReaderPlan) {
        table = TableReader(plan.paths)
        thresholds = plan.thresholds
        // A saved tree changes without uevents, and this kernel's are not about it.
        guard plan.paths.procfs == "/proc", let socket = try? UeventSocket() else {
            (descriptor, countsReloads) = (-1, false)
            return
        }
        (descriptor, countsReloads) = (socket.descriptor, socket.isReliable)
        uevents = consume socket
    }

    /// Readable when a uevent waits; -1 without them.
    let descriptor: Int32

    /// A look that is due.
    mutating func look() -> Look {
        look(UeventSocket.News())
    }

    /// A look because uevents came; nil when a module of ours neither came nor went, unless `always`.
    mutating func lookAfterUevents(always: Bool = false) -> Look? {
        let news = uevents?.take() ?? UeventSocket.News()
        if news.lost { countsReloads = false }
        return news.loads > 0 || news.unloads > 0 || always ? look(news) : nil
    }

    private mutating func look(_ news: UeventSocket.News) -> Look {
        var record = table.read()
        record.unloads = news.unloads
        record.loads = news.loads
        record.counts_reloads = countsReloads ? 1 : 0
        let levels = thresholds.levels(
            entries: record.entries_errno == 0 ? record.entries : nil,
            limit: record.limit_errno == 0 ? record.limit : nil)
        let isNews =
            isEmptied(record) || levels != lastLevels || record.unloaded != 0 || record.loads != 0
            || record.limit != last.limit
            || record.limit_errno != last.limit_errno || record.entries_errno != last.entries_errno
        last = record
        lastLevels = levels
        return Look(record: record, isNews: isNews)
    }

    /// Most of the table is gone: once, since what is left is the measure from then on.
    private mutating func isEmptied(_ record: cnf_table) -> Bool {
        guard record.entries_errno == 0 else { return false }
        high = max(record.entries, high - high / 16)
        guard high > 1000, record.entries < high / 2 else { return false }
        high = record.entries
        return true
    }
}

extension JoinPolicy.Look {
    init(_ record: cnf_table) {
        self.init(
            time: MonotonicTime(nanoseconds: record.time_ns), limitErrno: record.limit_errno,
            isModuleChanged: record.unloaded != 0 || record.unloads != 0 || record.loads != 0)
    }
}
