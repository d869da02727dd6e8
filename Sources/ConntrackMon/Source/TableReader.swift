// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// One sysctl kept open and reread; reopened by path once its module was unloaded.
struct KeptValue: ~Copyable {
    let path: String
    private var file: KernelFile?

    init(_ path: String) {
        self.path = path
    }

    /// What one look gave.
    struct Reading {
        var value: UInt64 = 0
        /// 0, or why there is no value: ENOENT absent, EINVAL not a number, EACCES, ...
        var code: Int32 = 0
        /// The kept descriptor proved an unload since the last look.
        var unloaded = false
    }

    /// A microsecond or two; allocates only when the file had to be opened.
    mutating func read() -> Reading {
        var reading = Reading()
        if let code = attempt(&reading) {
            guard file != nil, KernelFile.isGone(code) else {
                reading.code = code
                return reading
            }
            reading.unloaded = true
            file = nil
        } else if file != nil {
            return reading
        }
        do throws(SystemError) {
            file = try KernelFile(path)
            reading.code = attempt(&reading) ?? 0
        } catch {
            reading.code = error.code
        }
        return reading
    }

    /// Rereads the kept file, if there is one: nil when it went well or no file is open.
    private func attempt(_ reading: inout Reading) -> Int32? {
        guard file != nil else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { buffer -> Int32? in
            do throws(SystemError) {
                guard let length = try file?.reread(into: buffer) else { return nil }
                guard let value = KernelFile.number(in: UnsafeRawBufferPointer(buffer)[..<length].rebased) else {
                    return EINVAL
                }
                reading.value = value
                return nil
            } catch {
                return error.code
            }
        }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var rebased: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self) }
}

/// Reads the table's count and limit as one record. Owned by the reader thread.
struct TableReader: ~Copyable {
    private var entries: KeptValue
    private var limit: KeptValue

    init(procfs: String) {
        entries = KeptValue(procfs + "/sys/net/netfilter/nf_conntrack_count")
        limit = KeptValue(procfs + "/sys/net/netfilter/nf_conntrack_max")
    }

    /// One look at the table.
    mutating func read() -> cnf_table {
        // The limit first: were the module loaded between the two reads, its new limit is seen at the next look.
        let limit = self.limit.read()
        let entries = self.entries.read()
        var record = cnf_table()
        record.time_ns = Moment.now().monotonic.nanoseconds
        record.kind = UInt8(CNF_TABLE.rawValue)
        record.unloaded = limit.unloaded || entries.unloaded ? 1 : 0
        record.entries_errno = entries.code
        record.limit_errno = limit.code
        record.entries = entries.value
        record.limit = limit.value
        return record
    }
}
