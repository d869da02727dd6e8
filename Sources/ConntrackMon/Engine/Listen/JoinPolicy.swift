// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import Glibc

/// Decides when to join the event groups, to join them again, and to stay out. Pure: time and facts are passed in.
///
/// Joining loads nf_conntrack and nf_conntrack_netlink where these are modules and are not there, which would undo, or
/// break, what an administrator is just doing. So:
/// - Without leave the groups are joined only while nf_conntrack_netlink is there, or nf_conntrack is built in.
/// - With leave it is loaded at the start, and after a change of the module when that has been back for `settle`: whoever
///   restarts a firewall may unload it more than once, and must not find it loaded by us.
/// - Never is a module loaded while it comes or goes, nor while there is no table; and a socket that was not joined from the
///   start waits until all looks of a second have found everything there.
package struct JoinPolicy: Sendable {
    /// What it goes by.
    package struct Terms: Sendable {
        /// Leave to load nf_conntrack_netlink.
        package var mayLoad: Bool
        /// How long after a change of the module the groups are not joined.
        package var settle: Duration

        /// The terms of one monitor.
        package init(mayLoad: Bool, settle: Duration) {
            self.mayLoad = mayLoad
            self.settle = settle
        }
    }

    /// What one look at the table tells.
    package struct Look: Sendable {
        package var time: MonotonicTime
        /// 0 when nf_conntrack_max is there, or why not: ENOENT = no nf_conntrack here.
        package var limitErrno: Int32
        /// nf_conntrack came or went since the look before.
        package var isModuleChanged: Bool

        package init(time: MonotonicTime, limitErrno: Int32 = 0, isModuleChanged: Bool = false) {
            self.time = time
            self.limitErrno = limitErrno
            self.isModuleChanged = isModuleChanged
        }
    }

    /// What is to be done about the groups.
    package enum Action: Equatable, Sendable {
        /// Nothing.
        case wait
        /// Join them, with a new socket if there is none.
        case join
        /// Leave them.
        case leave
        /// Do without, and say so: joining would load nf_conntrack_netlink.
        case unavailable
        /// Stay out although the budget allows to listen, and say why.
        case hinder(EventHindrance)
    }

    /// For how long a socket that was not joined from the start waits.
    private static let lateness = Duration.seconds(1)

    private let terms: Terms
    private var limitErrno: Int32
    /// The socket is open; it may have left the groups.
    private var isOpen = false
    /// Until then the module counts as changing.
    private var settledAt: MonotonicTime?
    /// A change may have taken nf_conntrack_netlink away, and that was not looked after yet.
    private var isLoadDue = false
    /// When to join, if every look finds everything there until then.
    private var lateJoinAt: MonotonicTime?

    /// A policy after the first look, which is no change.
    package init(_ terms: Terms, first: Look) {
        self.terms = terms
        limitErrno = first.limitErrno
    }

    // MARK: What happened

    /// Takes a look at the table.
    package mutating func see(_ look: Look) {
        let isChanged = look.isModuleChanged || look.limitErrno != limitErrno
        limitErrno = look.limitErrno
        if isChanged { change(at: look.time) }
    }

    /// The groups are joined, by a socket that is open from now on.
    package mutating func joined() {
        isOpen = true
        lateJoinAt = nil
    }

    /// The socket is gone.
    package mutating func failed() {
        isOpen = false
        lateJoinAt = nil
    }

    private mutating func change(at time: MonotonicTime) {
        settledAt = time + terms.settle
        isLoadDue = true
        lateJoinAt = nil
    }

    // MARK: What to do

    /// What to do at the start, after the first look.
    package mutating func begin(at now: MonotonicTime, netlink: NetlinkModule) -> Action {
        switch netlink {
        case .live, .builtIn: return .join
        case .absent: return terms.mayLoad ? .join : .unavailable
        case .changing:
            change(at: now)
            return .unavailable
        }
    }

    /// What to do now; to be asked after each regular look. `netlink` is asked only when it matters.
    package mutating func step(at now: MonotonicTime, netlink: () -> NetlinkModule) -> Action {
        guard limitErrno == 0 else {
            lateJoinAt = nil
            return .wait
        }
        if let settledAt, now < settledAt { return .wait }
        return isOpen ? joinAgain(at: now, netlink) : joinLate(at: now, netlink)
    }

    /// After a reload the socket is joined, but silent until nf_conntrack_netlink is back; joining again loads it.
    private mutating func joinAgain(at now: MonotonicTime, _ netlink: () -> NetlinkModule) -> Action {
        guard isLoadDue else { return .wait }
        isLoadDue = false
        guard terms.mayLoad else { return .wait }
        switch netlink() {
        case .live, .builtIn: return .wait
        case .absent: return .join
        case .changing:
            change(at: now)
            return .wait
        }
    }

    private mutating func joinLate(at now: MonotonicTime, _ netlink: () -> NetlinkModule) -> Action {
        let due = lateJoinAt
        switch netlink() {
        case .live, .builtIn:
            if let due, now < due { return .wait }
            lateJoinAt = now + JoinPolicy.lateness
            return due == nil ? .wait : .join
        case .absent:
            let isLoaded = terms.mayLoad && isLoadDue
            isLoadDue = false
            lateJoinAt = nil
            return isLoaded ? .join : .wait
        case .changing:
            change(at: now)
            return .wait
        }
    }

    /// What to do when the budget wants to listen or not.
    package func answer(
        _ move: EventBudget.Move, at now: MonotonicTime, netlink: () -> NetlinkModule
    ) -> Action {
        switch move {
        case .leave: .leave
        case .join: hindrance(at: now, netlink).map { .hinder($0) } ?? .join
        }
    }

    private func hindrance(at now: MonotonicTime, _ netlink: () -> NetlinkModule) -> EventHindrance? {
        switch limitErrno {
        case 0: break
        case ENOENT: return .moduleAbsent
        default: return .limitUnreadable
        }
        if let settledAt, now < settledAt { return .settling }
        return netlink().isThere ? nil : .netlinkAbsent
    }
}
