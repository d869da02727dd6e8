// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// CPU time a process has used, in nanoseconds, by its threads' names.
struct ProcessorTime {
    private(set) var threads: [String: UInt64] = [:]

    /// /proc/PID/task/TID/schedstat begins with the time on a CPU. Threads that come or go meanwhile are passed over.
    init(of process: pid_t) throws {
        for task in try names(in: "/proc/\(process)/task") {
            guard let name = try? readFile("/proc/\(process)/task/\(task)/comm"),
                let times = try? readFile("/proc/\(process)/task/\(task)/schedstat"),
                let time = times.split(separator: " ").first.flatMap({ UInt64($0) })
            else { continue }
            threads[String(name.dropLast()), default: 0] += time
        }
    }

    var whole: UInt64 { threads.values.reduce(0, +) }

    /// The monitor's thread that receives events; of a program without such a thread all.
    var reader: UInt64 { threads["reader"] ?? whole }
}

/// CPU time of the children that have ended and been waited for, in seconds.
func childrenProcessorSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

/// Runs `body` and returns how many seconds it took.
func elapsed(_ body: () throws -> Void) rethrows -> Double {
    let time = try ContinuousClock().measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
}

/// Sleeps: for what is measured over a time.
func pause(_ time: Duration) {
    usleep(UInt32(time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000))
}
