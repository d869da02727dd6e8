// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
package import CRecord
package import ConntrackModel
internal import Glibc

/// One dump of the table of this network namespace, batch by batch; nothing of it is kept. Asks when it is made, and ends
/// the request at the end of its life.
///
/// Any ctnetlink request loads nf_conntrack and nf_conntrack_netlink where these are modules: the caller has asked
/// `ConntrackModule.mayListen` first. A dump is read to its end at once, since one under way pins the module.
package struct TableDump: ~Copyable {
    /// What is to be said of a dump beside its entries.
    package struct Outcome: Equatable, Sendable {
        /// Entries that the dump gave, wanted or not.
        package var entries: UInt64
        /// Entries that did not hold together and are in no batch.
        package var truncated: UInt64
        /// What was walked was changed meanwhile: some entries may be missing or counted twice.
        package var isInterrupted: Bool
    }

    /// Dumps the table and lends each batch of its entries to `body`. `paths` tells whether the hash is resized meanwhile.
    /// Only entries that `filter` wants; the kernel itself leaves out those of another family.
    package static func read(
        _ paths: HostPaths, filter: EntryFilter = EntryFilter(), _ body: (borrowing Span<cnf_entry>) -> Void
    ) throws(SystemError) -> Outcome {
        // Before the dump is asked for.
        let hash = HashWatch(paths)
        return try TableDump(filter).read(watching: hash, body)
    }

    /// The loop: to the end, with a look at the hash after each `period` batches: some 10,000 entries or 20 ms; a resize
    /// takes longer.
    consuming func read(
        watching hash: consuming HashWatch, period: Int = 64, _ body: (borrowing Span<cnf_entry>) -> Void
    ) throws(SystemError) -> Outcome {
        var batches = 0
        while try next(body) {
            batches += 1
            if batches % period == 0 { hash.look() }
        }
        hash.look()
        return Outcome(
            entries: tally.entries, truncated: tally.malformed,
            isInterrupted: tally.interrupted != 0 || hash.isResized)
    }

    /// More than a datagram of the kernel's holds (up to 220 entries of IPv4), and little enough to stay in the L2 cache.
    private static let batch = 256

    private let handle: OpaquePointer
    private let entries: UnsafeMutablePointer<cnf_entry>
    private var tally = cnf_dump_tally()
    /// nil = every entry is wanted.
    private let filter: cnf_filter?

    /// Asks the kernel for every entry, or those of one family.
    init(_ filter: EntryFilter = EntryFilter()) throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_dump_open(filter.family?.rawValue ?? UInt8(AF_UNSPEC), &opened)
        guard error == 0, let opened else { throw SystemError("dump", "the conntrack table", -error) }
        self.init(opened, filter)
    }

    /// A dump that somebody else sends through `descriptor`, which is taken over.
    init(adopting descriptor: Int32) throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_dump_adopt(descriptor, &opened)
        guard error == 0, let opened else { throw SystemError("dump", "a socket", -error) }
        self.init(opened)
    }

    private init(_ handle: OpaquePointer, _ filter: EntryFilter = EntryFilter()) {
        self.handle = handle
        self.filter = filter.isEmpty ? nil : cnf_filter(filter)
        entries = .allocate(capacity: TableDump.batch)
        entries.initialize(repeating: cnf_entry(), count: TableDump.batch)
    }

    deinit {
        cnf_dump_close(handle)
        entries.deallocate()
    }

    /// Lends the next batch to `body`; false when there is none any more. After an error there is none either.
    private mutating func next(_ body: (borrowing Span<cnf_entry>) -> Void) throws(SystemError) -> Bool {
        let count = cnf_dump_next(handle, entries, TableDump.batch, &tally)
        guard count >= 0 else { throw SystemError("dump", "the conntrack table", -count) }
        guard count > 0 else { return false }
        var wanted = Int(count)
        if var filter { wanted = cnf_filter_keep(&filter, entries, wanted) }
        body(UnsafeBufferPointer(start: entries, count: wanted).span)
        return true
    }
}
