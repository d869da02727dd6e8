// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// When the table is to be dumped to know what fills it. Pure.
///
/// A dump costs the kernel about 2 µs an entry, so one is made only when an alert asks, a minute or more after the last,
/// and for no more than a twentieth of the time. A dump loads the module where it is gone and pins it while it lasts: none
/// within 10 s of a change of the module.
struct SurveyPolicy: Sendable {
    private static let pause = Duration.seconds(60)
    private static let afterModule = Duration.seconds(10)
    /// A survey older than this says nothing of the present.
    private static let lasts = Duration.seconds(1800)
    private static let shareOfTime = 20

    private var isWanted = false
    private var isRunning = false
    private var notBefore = MonotonicTime(nanoseconds: 0)
    private var latest: Survey?
    private var failureTold: SystemError?

    /// Wants a look at the table when an alert about its usage has begun to fire, and none any more when none fires.
    mutating func follow(_ announcements: [Announcement], firing: [FiringAlert]) {
        let askers: [AlertName] = [.usageHigh, .tableFull]
        let isAsked = announcements.contains { said in
            said.state == .firing && askers.contains { $0.rawValue == said.name }
        }
        if isAsked {
            isWanted = true
        } else if !firing.contains(where: { askers.contains($0.name) }) {
            isWanted = false
        }
    }

    /// Whether a dump is to be made now. `moduleChanged`: when the module last came or went; `mayDump`: it loads nothing.
    mutating func begin(at now: MonotonicTime, moduleChanged: MonotonicTime?, mayDump: Bool) -> Bool {
        guard isWanted, !isRunning, mayDump, now >= notBefore else { return false }
        if let moduleChanged, now - moduleChanged < SurveyPolicy.afterModule { return false }
        isWanted = false
        isRunning = true
        return true
    }

    /// What the dump gave. Why it gave nothing, once for each new reason.
    mutating func end(_ result: Result<Survey, SystemError>, took: Duration, at now: MonotonicTime) -> SystemError? {
        isRunning = false
        notBefore = now + max(SurveyPolicy.pause - took, took * (SurveyPolicy.shareOfTime - 1))
        latest = try? result.get()
        guard case .failure(let error) = result, error != failureTold else { return nil }
        failureTold = error
        return error
    }

    /// The last survey, while it says something of the present.
    func survey(at now: MonotonicTime) -> Survey? {
        latest.flatMap { now - $0.moment.monotonic < SurveyPolicy.lasts ? $0 : nil }
    }
}
