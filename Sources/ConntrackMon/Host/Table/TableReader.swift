// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
internal import ConntrackModel
internal import ConntrackSystem
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
                guard let length = try file?.rereadOnce(into: buffer) else { return nil }
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
///
/// A sysctl that went away proves an unload only if the module went too: when a network namespace ends, its sysctls go
/// and the module stays. /sys/module/nf_conntrack/refcnt, kept open as well, tells the two apart (ENODEV after an unload);
/// a built-in module has none and cannot be unloaded.
package struct TableReader: ~Copyable {
    private var entries: KeptValue
    private var limit: KeptValue
    private var refcnt: KeptValue?
    private let isBuiltIn: Bool
    private var isShownBySys = false
    /// The module was loaded just now: what its sysctls do not show yet is not missing.
    private var isComing = false

    /// `sysfs` nil: what /sys says is not about this /proc.
    package init(procfs: String, sysfs: String? = nil) {
        entries = KeptValue(procfs + "/sys/net/netfilter/nf_conntrack_count")
        limit = KeptValue(procfs + "/sys/net/netfilter/nf_conntrack_max")
        isBuiltIn = sysfs.map { ConntrackModule.look(sysfs: $0) == .builtIn } ?? false
        if let sysfs, !isBuiltIn { refcnt = KeptValue(sysfs + "/module/nf_conntrack/refcnt") }
    }

    /// One look at the table.
    package mutating func read() -> cnf_table {
        // The limit first: were the module loaded between the two reads, its new limit is seen at the next look.
        var limit = self.limit.read()
        var entries = self.entries.read()
        let state = refcnt?.read()
        if limit.unloaded || entries.unloaded || state?.unloaded == true {
            // The unload may have fallen between the reads: none may show what was before it.
            if !limit.unloaded { limit = self.limit.read() }
            if !entries.unloaded { entries = self.entries.read() }
        }
        let sysctlGone = limit.unloaded || entries.unloaded
        let (unloaded, alive) = module(state, sysctlGone: sysctlGone, hasSysctl: limit.code == 0 || entries.code == 0)
        var record = cnf_table()
        let now = Moment.now()
        record.time_ns = now.monotonic.nanoseconds
        record.wall_offset_ns = now.wallOffset
        record.kind = UInt8(CNF_TABLE.rawValue)
        record.unloaded = unloaded ? 1 : 0
        record.alive = alive ? 1 : 0
        record.entries_errno = entries.code
        record.limit_errno = limit.code
        record.entries = entries.value
        record.limit = limit.value
        return record
    }

    private mutating func module(
        _ state: KeptValue.Reading?, sysctlGone: Bool, hasSysctl: Bool
    ) -> (unloaded: Bool, alive: Bool) {
        if isBuiltIn { return (false, true) }
        guard let state else { return (sysctlGone, false) }
        let isAlive = state.code == 0
        defer { isShownBySys = isShownBySys || isAlive }
        // While it is loaded /sys shows it first; while it is unloaded refcnt is -1, which is no number.
        if hasSysctl { isComing = false } else if state.unloaded || !isAlive { isComing = true }
        // A container may have no /sys/module: then the sysctl is all there is to go by.
        return (isAlive || isShownBySys ? state.unloaded : sysctlGone, isAlive && !isComing)
    }
}
