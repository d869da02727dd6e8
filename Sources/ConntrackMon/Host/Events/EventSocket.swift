// SPDX-License-Identifier: GPL-3.0-or-later

package import CNetfilter
package import ConntrackModel
internal import Glibc

/// The ctnetlink multicast socket, and the BPF ring that its events may go into. One owner, one thread; closes at the end of
/// its life.
package struct EventSocket: ~Copyable {
    private let handle: OpaquePointer
    private var overrunsSeen: UInt32 = 0
    private var kernelCountsSeen = cnf_kernel_counts()
    /// How events are taken off it.
    package let method: EventMethod

    /// Opens the socket and joins `groups`. The caller has made sure that this loads no module, or has leave to.
    /// With `.auto` what keeps a BPF ring from being had is told by `method`; with `.bpf` it is thrown.
    /// What `filter` keeps out at a glance is never sent to it. `hurries`: what a program did is told at once.
    package init(
        groups: EventGroups, receiveBuffer: UInt32, source: SourceChoice = .netlink,
        filter: EntryFilter = EntryFilter(), hurries: Bool = false
    ) throws(EventObstacle) {
        var opened: OpaquePointer?
        let error = cnf_events_open(receiveBuffer, &opened)
        guard error == 0, let opened else { throw EventObstacle(.open, -error) }
        if hurries { cnf_events_hurry(opened) }
        if !filter.isEmpty {
            var record = cnf_filter(filter)
            // Without it more is received, and left out afterwards.
            _ = cnf_events_filter(opened, &record)
        }
        // An event takes a fifth of the room in the ring that it is charged in the socket's buffer.
        let attached = source == .netlink ? 0 : cnf_events_attach_ring(opened, receiveBuffer / 2)
        let joined = source == .bpf && attached != 0 ? 0 : cnf_events_join(opened, groups.rawValue)
        guard joined == 0, source != .bpf || attached == 0 else {
            cnf_events_close(opened)
            throw joined != 0 ? EventObstacle(.join, -joined) : EventObstacle(.attachRing, -attached)
        }
        handle = opened
        let ring = Int(cnf_events_ring_size(opened))
        method =
            ring > 0
            ? .bpf(ring: ring)
            : .netlink(
                receiveBuffer: Int(max(0, cnf_events_receive_buffer(opened))),
                notBPF: attached == 0 ? nil : -attached)
    }

    deinit {
        cnf_events_close(handle)
    }

    /// Joins `groups` again: those that were left, and for all of them the kernel loads nf_conntrack_netlink if it is gone.
    package func join(_ groups: EventGroups) throws(EventObstacle) {
        let joined = cnf_events_join(handle, groups.rawValue)
        guard joined == 0 else { throw EventObstacle(.joinAgain, -joined) }
    }

    /// Leaves `groups`: the kernel builds no message for them, unless somebody else listens. What is queued stays.
    package func leave(_ groups: EventGroups) throws(EventObstacle) {
        let left = cnf_events_leave(handle, groups.rawValue)
        guard left == 0 else { throw EventObstacle(.leave, -left) }
    }

    /// What one pump did.
    package struct Pumped {
        /// Slots filled.
        package var filled = 0
        /// Messages that there were; 0 = the queue is empty.
        package var datagrams = 0
        /// 0, or why nothing could be received. ENOBUFS is no reason to stop: the kernel dropped some.
        package var code: Int32 = 0

        /// Nothing.
        package init() {}
    }

    /// Receives one batch into `slots` without waiting, stamps it with `time`, and adds to `tally` what became of it.
    package func pump(
        into slots: UnsafeMutableBufferPointer<cnf_record>, at time: MonotonicTime, tally: inout cnf_tally
    ) -> Pumped {
        var pumped = Pumped()
        let filled = cnf_events_pump(
            handle, slots.baseAddress, slots.count, time.nanoseconds, &tally, &pumped.datagrams)
        pumped.filled = max(0, Int(filled))
        pumped.code = max(0, -filled)
        return pumped
    }

    /// Has `lines` take what is pumped from here on, as received at `time`; they outlive the pumping.
    package func feed(_ lines: borrowing EventLines, at time: WallTime) {
        lines.receive(at: time)
        cnf_lines_follow(lines.handle, handle)
    }

    /// Readable when the ring becomes half full; -1 without a ring.
    package var descriptor: Int32 { cnf_events_descriptor(handle) }

    /// Has `descriptor` turn readable only at the next time.
    package func silence() {
        cnf_events_silence(handle)
    }

    /// What the kernel could not put into its ring since the last call; nil without a ring. One system call.
    package mutating func takeRingLosses() -> (overrun: EventCounts, truncated: EventCounts)? {
        var now = cnf_kernel_counts()
        guard cnf_events_kernel_counts(handle, &now) == 0 else { return nil }
        let before = kernelCountsSeen
        kernelCountsSeen = now
        return (
            EventCounts(now.overrun) - EventCounts(before.overrun),
            EventCounts(now.truncated) - EventCounts(before.truncated)
        )
    }

    /// How many messages the kernel dropped since the last call, exactly; nil when this kernel cannot tell.
    package mutating func takeOverruns() -> UInt64? {
        var total: UInt32 = 0
        guard cnf_events_overruns(handle, &total) == 0 else { return nil }
        defer { overrunsSeen = total }
        return UInt64(total &- overrunsSeen)
    }
}

extension EventCounts {
    /// By enum cnf_kind.
    package init(_ byKind: (UInt64, UInt64, UInt64)) {
        self.init(new: byKind.0, update: byKind.1, destroy: byKind.2)
    }
}
