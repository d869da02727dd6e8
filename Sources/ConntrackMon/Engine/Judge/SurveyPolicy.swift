// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// When the table is to be dumped to know what fills it, and which ports NAT uses. Pure.
///
/// A dump costs the kernel about 2 µs an entry, so one is made only when an alert asks or NAT's ports have to be known anew
/// (after the start, a loss, a reload), a minute or more after the last, and for no more than a twentieth of the time.
/// nat_ports_low, which does not fire without, waits less for its own, as long as each one confirms something. A dump loads
/// the module where it is gone and pins it while it lasts: none within 10 s of a change of the module.
struct SurveyPolicy: Sendable {
    /// What NAT's ports need a dump for.
    enum PortsNeed: Sendable {
        /// Counts by events are not right, or not any more.
        case anew
        /// Counts by events say that they run out.
        case confirmation
    }

    private static let pause = Duration.seconds(60)
    private static let shortPause = Duration.seconds(5)
    private static let afterModule = Duration.seconds(10)
    /// A survey older than this says nothing of the present.
    private static let lasts = Duration.seconds(1800)
    private static let shareOfTime = 20

    private var isWanted = false
    /// What NAT's ports need.
    var portsNeed: PortsNeed?
    private var isRunning = false
    /// The one that is under way is for an alert about usage, too.
    private(set) var isForUsage = false
    private var isConfirmation = false
    private var notBefore = MonotonicTime(nanoseconds: 0)
    private var confirmsFrom = MonotonicTime(nanoseconds: 0)
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
        guard isDue(at: now), !isRunning, mayDump else { return false }
        if let moduleChanged, now - moduleChanged < SurveyPolicy.afterModule { return false }
        isForUsage = isWanted
        isConfirmation = portsNeed == .confirmation
        isWanted = false
        isRunning = true
        return true
    }

    private func isDue(at now: MonotonicTime) -> Bool {
        switch portsNeed {
        case .confirmation: now >= confirmsFrom
        case .anew: now >= notBefore
        case nil: isWanted && now >= notBefore
        }
    }

    /// What the dump gave; `confirms`: nat_ports_low may fire by it. Why it gave nothing, once for each new reason.
    mutating func end(
        _ result: Result<Survey, SystemError>, confirms: Bool = false, took: Duration, at now: MonotonicTime
    ) -> SystemError? {
        isRunning = false
        let share = took * (SurveyPolicy.shareOfTime - 1)
        notBefore = now + max(SurveyPolicy.pause - took, share)
        let isInVain = isConfirmation && !confirms
        confirmsFrom = isInVain ? notBefore : now + max(SurveyPolicy.shortPause, share)
        portsNeed = nil
        // What was only asked for NAT's ports is no news for an alert about usage.
        if isForUsage { latest = try? result.get() }
        guard case .failure(let error) = result, error != failureTold else { return nil }
        failureTold = error
        return error
    }

    /// The last survey, while it says something of the present.
    func survey(at now: MonotonicTime) -> Survey? {
        latest.flatMap { now - $0.moment.monotonic < SurveyPolicy.lasts ? $0 : nil }
    }
}
