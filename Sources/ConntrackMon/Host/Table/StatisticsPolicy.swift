// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// By what right ctnetlink is asked for statistics where /proc has none.
package enum StatisticsTerms: Equatable, Sendable {
    /// None: who asks has them from elsewhere.
    case never
    /// One look for a person, like `top`'s: what was there before is not known.
    case once
    /// Again and again. A change of a module counts as going on for `settle`, and never for less than 10 s.
    case watching(settle: Duration)
}

/// Decides whether ctnetlink may be asked for statistics now. Pure: time and facts are passed in.
///
/// A request loads nf_conntrack_netlink and nf_conntrack where they are modules and are not there, and while its answer is
/// read nf_conntrack_netlink cannot be unloaded. A program that asks every 100 ms whatever happens undoes a firewall's stop
/// every time. So a watch asks
/// - only while nf_conntrack_netlink is live, which is looked at again just before the request (`cnf_stats_cpu`);
/// - only when neither module has come or gone, and nothing that uses nf_conntrack has, for 10 s: a stop unloads
///   xt_conntrack and the like first, so that it is seen before its turn comes to the modules that a request loads;
/// - at most once a second.
///
/// What is left is an unload that begins with nf_conntrack_netlink itself, in the microseconds between the look and the
/// request: once in some hundred thousand stops. That event groups are joined would be no safeguard: a listener neither
/// holds the module nor makes a request harmless. Where nf_conntrack is part of the kernel all of this does not matter.
struct StatisticsPolicy: Sendable {
    /// What is seen just before.
    struct Look: Sendable {
        var time: MonotonicTime
        var netlink: NetlinkModule
        /// Kept descriptors prove that neither module was unloaded since the look before.
        var isSame: Bool
        /// What uses nf_conntrack (refcnt); nil = that cannot be read.
        var users: UInt64?
    }

    /// What is to be done.
    enum Answer: Equatable, Sendable {
        /// Ask once, now.
        case ask
        /// Do not ask, this time; what was read before still stands.
        case wait
        /// Do not ask, and say why.
        case obstacle(StatisticsObstacle)
    }

    /// For so long after a change nothing is asked.
    static let calm = Duration.seconds(10)
    /// Once in so long at most...
    private static let spacing = Duration.seconds(1)
    /// ...and no interval of a second is that to the millisecond.
    private static let tolerance = Duration.milliseconds(100)

    private let terms: StatisticsTerms
    private var quietSince: MonotonicTime?
    private var users: UInt64?
    private var nextAt: MonotonicTime?

    init(_ terms: StatisticsTerms) {
        self.terms = terms
    }

    /// What to do now. Every look must be shown to it: what changes between two is a change now.
    mutating func answer(_ look: Look) -> Answer {
        if terms == .never { return .wait }
        if look.netlink == .builtIn { return .ask }
        let isChanged = !look.isSame || look.netlink != .live || look.users == nil || look.users != users
        users = look.users
        if isChanged { quietSince = look.time }
        switch look.netlink {
        case .absent: return .obstacle(.netlinkAbsent)
        case .changing: return .obstacle(.changing)
        case .live, .builtIn: break
        }
        guard case .watching(let settle) = terms else { return .ask }
        let calm = max(StatisticsPolicy.calm, settle)
        if let quietSince, look.time - quietSince < calm { return .obstacle(.settling) }
        if let nextAt, look.time + StatisticsPolicy.tolerance < nextAt { return .wait }
        let soonest = look.time + (StatisticsPolicy.spacing - StatisticsPolicy.tolerance)
        nextAt = max((nextAt ?? look.time) + StatisticsPolicy.spacing, soonest)
        return .ask
    }
}
