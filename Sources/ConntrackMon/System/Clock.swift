// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
package import ConntrackModel
internal import Glibc

// The only place where a clock is asked: everything else is handed its time.

extension MonotonicTime {
    /// This moment by CLOCK_BOOTTIME.
    package static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(clockNanoseconds(CLOCK_BOOTTIME)))
    }
}

extension Moment {
    /// This moment, read from the system's clocks.
    package static func now() -> Moment {
        Moment(monotonic: .now(), wall: WallTime(nanoseconds: clockNanoseconds(CLOCK_REALTIME)))
    }
}

private func clockNanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// CPU seconds this process has used, all threads and both modes (getrusage(2)).
package func processSeconds() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}
