// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel
internal import Glibc

extension TableLook {
    /// What the record says.
    package init(_ record: cnf_table) {
        let time = MonotonicTime(nanoseconds: record.time_ns)
        self.init(moment: Moment(monotonic: time, wallOffset: record.wall_offset_ns))
        countsReloads = record.counts_reloads != 0
        unloaded = record.unloaded != 0
        unloads = UInt64(record.unloads)
        loads = UInt64(record.loads)
        absent = record.limit_errno == ENOENT && record.entries_errno == ENOENT && record.alive == 0
        entries = record.entries_errno == 0 ? record.entries : nil
        limit = record.limit_errno == 0 ? record.limit : nil
        if !absent {
            entriesFault = record.entries_errno
            limitFault = record.limit_errno
        }
    }
}
