// SPDX-License-Identifier: GPL-3.0-or-later

/// What a full table takes of a host's memory.
public struct TableSize: Codable, Equatable, Sendable {
    /// How many it holds.
    public var entries: UInt64
    /// What one takes.
    public var bytesPerEntry: UInt64
    /// That is taken to be so: /proc/slabinfo was not to be read.
    public var isAssumed: Bool
    /// Of its hash.
    public var buckets: UInt64
    /// All of it: the entries, and a pointer a bucket.
    public var bytes: UInt64
    /// Of the host; nil where it is not known.
    public var memory: UInt64?

    /// What a 64 bit kernel's slab usually holds of an entry.
    private static let usualSize: UInt64 = 320
    private static let bytesPerBucket: UInt64 = 8

    /// Of a table with that many buckets. `entrySize` is what /proc/slabinfo says, in bytes.
    package init(entries: UInt64, buckets: UInt64, entrySize: UInt64?, memory: UInt64? = nil) {
        self.entries = entries
        self.buckets = buckets
        self.memory = memory
        bytesPerEntry = entrySize ?? TableSize.usualSize
        isAssumed = entrySize == nil
        let (table, isTooLarge) = entries.multipliedReportingOverflow(by: bytesPerEntry)
        let (hash, isTooLong) = buckets.multipliedReportingOverflow(by: TableSize.bytesPerBucket)
        let (sum, isTooMuch) = table.addingReportingOverflow(hash)
        bytes = isTooLarge || isTooLong || isTooMuch ? .max : sum
    }

    /// "626 MB (320 bytes an entry assumed, 8 a bucket)".
    package var text: String {
        "\(fixed(Double(bytes) / 1_048_576, 0)) MB (\(bytesPerEntry) bytes an entry\(isAssumed ? " assumed" : ""),"
            + " \(TableSize.bytesPerBucket) a bucket)"
    }
}
