// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import Synchronization

/// Examines the host at the start of `watch` and every hour, on a thread of lowest priority that ends each time.
final class HourlyDoctor: Sendable {
    private static let every = Duration.seconds(3600)

    private let root: String
    private let procfs: String
    private let sysfs: String
    private let latest = Mutex<DoctorReport?>(nil)
    private let due = Mutex(MonotonicTime(nanoseconds: 0))

    init(root: String, procfs: String, sysfs: String) {
        self.root = root
        self.procfs = procfs
        self.sysfs = sysfs
    }

    /// The last report; nil until the first is ready.
    var report: DoctorReport? { latest.withLock { $0 } }

    /// Starts an examination if one is due. Never waits; a thread that cannot be started is tried again in an hour.
    /// Whether one was due.
    @discardableResult
    func step(now: MonotonicTime) -> Bool {
        let isDue = due.withLock { due in
            guard now >= due else { return false }
            due = now + HourlyDoctor.every
            return true
        }
        guard isDue else { return false }
        let thread = try? Thread(name: "doctor") { [self] in
            // On Linux this is the calling thread's priority, not the process's (setpriority(2), NOTES).
            setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
            let report = Doctor.examine(root: root, procfs: procfs, sysfs: sysfs)
            latest.withLock { $0 = report }
        }
        thread?.detach()
        return true
    }
}
