// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What a thread is doing, since when: by it the main thread says that something hangs while it hangs. A thread
/// that waits for work is at rest and never stuck.
package final class Heartbeat: Sendable {
    private struct Work: Sendable {
        var part: String
        var what: String
        var since: MonotonicTime
    }

    /// Beyond this a write that goes to memory on every sound host has not merely been slow.
    package static let patience = Duration.seconds(5)

    private let remains: @Sendable (String) -> String
    // Words and time belong together, so not an atomic. Each end holds it for nanoseconds.
    private let work = Lock<Work?>(nil)

    /// `remains`: what goes on while a part hangs.
    package init(remains: @escaping @Sendable (_ part: String) -> String) {
        self.remains = remains
    }

    /// The thread begins something that may hang. `part`: the alert's subject; `what`: as in "writing /x".
    package func begin(_ part: String, _ what: String, at now: MonotonicTime) {
        work.withLock { $0 = Work(part: part, what: what, since: now) }
    }

    /// Other words for what it is still in.
    package func rename(_ what: String) {
        work.withLock { $0?.what = what }
    }

    /// It is done.
    package func end() {
        work.withLock { $0 = nil }
    }

    /// The part that hangs: its work has taken longer than `patience`. nil when none does.
    package func stuck(now: MonotonicTime, patience: Duration = Heartbeat.patience) -> Degradation? {
        guard let work = work.withLock({ $0 }), now - work.since > patience else { return nil }
        let seconds = Duration.seconds((now - work.since).components.seconds)
        return Degradation(
            part: work.part, reason: "\(work.what) has hung for \(durationText(seconds))", remains: remains(work.part))
    }
}
