// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

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
