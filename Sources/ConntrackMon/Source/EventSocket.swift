// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// Which events to listen to.
public struct EventGroups: OptionSet, Sendable {
    /// Bits of `enum cnf_group`.
    public let rawValue: UInt32

    /// From bits of `enum cnf_group`.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Entries confirmed.
    public static let new = EventGroups(rawValue: 1)
    /// Entries changed: most of the traffic, so only on demand.
    public static let update = EventGroups(rawValue: 2)
    /// Entries gone.
    public static let destroy = EventGroups(rawValue: 4)
}

/// The ctnetlink multicast socket. Owned by the reader thread; closes at the end of its life.
struct EventSocket: ~Copyable {
    private let handle: OpaquePointer
    private var overrunsSeen: UInt32 = 0
    /// Bytes, as the kernel accounts them (twice what was asked for).
    let receiveBuffer: Int

    /// Opens the socket and joins `groups`. The caller has made sure that this loads no module (see ConntrackModule).
    init(groups: EventGroups, receiveBuffer: UInt32) throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_events_open(receiveBuffer, &opened)
        guard error == 0, let opened else { throw SystemError("open", "a netfilter netlink socket", -error) }
        let joined = cnf_events_join(opened, groups.rawValue)
        guard joined == 0 else {
            cnf_events_close(opened)
            throw SystemError("join", "the conntrack event groups", -joined)
        }
        handle = opened
        self.receiveBuffer = Int(max(0, cnf_events_receive_buffer(opened)))
    }

    deinit {
        cnf_events_close(handle)
    }

    /// Joins `groups` again: those that were left, and for all of them the kernel loads nf_conntrack_netlink if it is gone.
    func join(_ groups: EventGroups) throws(SystemError) {
        let joined = cnf_events_join(handle, groups.rawValue)
        guard joined == 0 else { throw SystemError("join again", "the conntrack event groups", -joined) }
    }

    /// Leaves `groups`: the kernel builds no message for them, unless somebody else listens. What is queued stays.
    func leave(_ groups: EventGroups) throws(SystemError) {
        let left = cnf_events_leave(handle, groups.rawValue)
        guard left == 0 else { throw SystemError("leave", "the conntrack event groups", -left) }
    }

    /// What one pump did.
    struct Pumped {
        var filled = 0
        var datagrams = 0
        /// 0, or why nothing could be received. ENOBUFS is no reason to stop: the kernel dropped some.
        var code: Int32 = 0
    }

    /// Receives one batch into `slots` without waiting, and adds to `tally` what became of it.
    func pump(into slots: UnsafeMutableBufferPointer<cnf_record>, tally: inout cnf_tally) -> Pumped {
        var datagrams = 0
        let time = Moment.now().monotonic.nanoseconds
        let filled = cnf_events_pump(handle, slots.baseAddress, slots.count, time, &tally, &datagrams)
        return filled < 0
            ? Pumped(filled: 0, datagrams: datagrams, code: -filled)
            : Pumped(filled: Int(filled), datagrams: datagrams, code: 0)
    }

    /// How many messages the kernel dropped since the last call, exactly; nil when this kernel cannot tell.
    mutating func takeOverruns() -> UInt64? {
        var total: UInt32 = 0
        guard cnf_events_overruns(handle, &total) == 0 else { return nil }
        defer { overrunsSeen = total }
        return UInt64(total &- overrunsSeen)
    }
}
