// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// One dump of the table of this network namespace, entry by entry; nothing of it is kept. Asks when it is made, and ends
/// the request at the end of its life.
///
/// Any ctnetlink request loads nf_conntrack and nf_conntrack_netlink where these are modules: the caller has asked
/// `ConntrackModule.mayListen` first, and reads to the end at once, since a dump under way pins the module.
struct TableDump: ~Copyable {
    /// More than a datagram of the kernel's holds (up to 220 entries of IPv4), and little enough to stay in the L2 cache.
    private static let batch = 256

    private let handle: OpaquePointer
    private let entries: UnsafeMutablePointer<cnf_entry>
    private var tally = cnf_dump_tally()

    /// Asks the kernel for every entry.
    init() throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_dump_open(UInt8(AF_UNSPEC), &opened)
        guard error == 0, let opened else { throw SystemError("dump", "the conntrack table", -error) }
        self.init(opened)
    }

    /// A dump that somebody else sends through `descriptor`, which is taken over.
    init(adopting descriptor: Int32) throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_dump_adopt(descriptor, &opened)
        guard error == 0, let opened else { throw SystemError("dump", "a socket", -error) }
        self.init(opened)
    }

    private init(_ handle: OpaquePointer) {
        self.handle = handle
        entries = .allocate(capacity: TableDump.batch)
        entries.initialize(repeating: cnf_entry(), count: TableDump.batch)
    }

    deinit {
        cnf_dump_close(handle)
        entries.deallocate()
    }

    /// Whether the kernel said that what it walks was changed under it (NLM_F_DUMP_INTR).
    var isInterrupted: Bool { tally.interrupted != 0 }

    /// Entries that did not hold together and are in no batch.
    var truncated: UInt64 { tally.malformed }

    /// Lends the next batch to `body`; false when there is none any more. After an error there is none either.
    mutating func next(_ body: (borrowing Span<cnf_entry>) -> Void) throws(SystemError) -> Bool {
        let count = cnf_dump_next(handle, entries, TableDump.batch, &tally)
        guard count >= 0 else { throw SystemError("dump", "the conntrack table", -count) }
        guard count > 0 else { return false }
        body(UnsafeBufferPointer(start: entries, count: Int(count)).span)
        return true
    }
}
