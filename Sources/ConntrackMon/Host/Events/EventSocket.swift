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

/// How events are taken off the socket.
public enum EventMethod: Equatable, Sendable {
    /// By a filter that copies them into a ring in the kernel, of so many bytes.
    case bpf(ring: Int)
    /// By recvmmsg; the receive buffer in bytes, as the kernel accounts it (twice what was asked for), and why it is not
    /// bpf, where that was tried.
    case netlink(receiveBuffer: Int, notBPF: String?)

    /// The name that `--source` and metrics use.
    public var source: String {
        if case .bpf = self { "bpf" } else { "netlink" }
    }
}

/// The ctnetlink multicast socket, and the BPF ring that its events may go into. Owned by the reader thread; closes at the
/// end of its life.
struct EventSocket: ~Copyable {
    private let handle: OpaquePointer
    private var overrunsSeen: UInt32 = 0
    private var kernelCountsSeen = cnf_kernel_counts()
    let method: EventMethod

    /// Opens the socket and joins `groups`. The caller has made sure that this loads no module (see ConntrackModule).
    /// With `.auto` what keeps a BPF ring from being had is told by `method`; with `.bpf` it is thrown.
    init(groups: EventGroups, receiveBuffer: UInt32, source: SourceChoice = .netlink) throws(SystemError) {
        var opened: OpaquePointer?
        let error = cnf_events_open(receiveBuffer, &opened)
        guard error == 0, let opened else { throw SystemError("open", "a netfilter netlink socket", -error) }
        // An event takes a fifth of the room in the ring that it is charged in the socket's buffer.
        let attached = source == .netlink ? 0 : cnf_events_attach_ring(opened, receiveBuffer / 2)
        let joined = source == .bpf && attached != 0 ? 0 : cnf_events_join(opened, groups.rawValue)
        guard joined == 0, source != .bpf || attached == 0 else {
            cnf_events_close(opened)
            throw joined != 0
                ? SystemError("join", "the conntrack event groups", -joined) : EventSocket.noRing(-attached)
        }
        handle = opened
        let ring = Int(cnf_events_ring_size(opened))
        method =
            ring > 0
            ? .bpf(ring: ring)
            : .netlink(
                receiveBuffer: Int(max(0, cnf_events_receive_buffer(opened))),
                notBPF: attached == 0 ? nil : EventSocket.whyNoRing(-attached))
    }

    private static func noRing(_ code: Int32) -> SystemError {
        SystemError("read", "events by bpf (\(whyNoRing(code)))", code)
    }

    /// What keeps a BPF ring from being had, in the words of its cure.
    static func whyNoRing(_ code: Int32) -> String {
        switch code {
        case ELIBACC: "libbpf.so.1 is not installed"
        case EPERM, EACCES: "no CAP_BPF"
        case EINVAL: "kernel \(runningKernel) has no ring buffer"
        case ENOSYS: "kernel \(runningKernel) has no bpf(2)"
        default: SystemError.text(code)
        }
    }

    private static var runningKernel: String {
        var names = utsname()
        uname(&names)
        return withUnsafePointer(to: &names.release) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
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

    /// Readable when the ring becomes half full; -1 without a ring.
    var descriptor: Int32 { cnf_events_descriptor(handle) }

    /// Has `descriptor` turn readable only at the next time.
    func silence() {
        cnf_events_silence(handle)
    }

    /// What the kernel counted by itself since the last call, lost events included; nil without a ring.
    mutating func takeKernelCounts() -> (sent: EventCounts, lost: LostEvents)? {
        var now = cnf_kernel_counts()
        guard cnf_events_kernel_counts(handle, &now) == 0 else { return nil }
        let before = kernelCountsSeen
        kernelCountsSeen = now
        return (
            EventCounts(
                new: now.sent.0 &- before.sent.0, update: now.sent.1 &- before.sent.1,
                destroy: now.sent.2 &- before.sent.2),
            LostEvents(
                overrun: EventSocket.sum(now.overrun) &- EventSocket.sum(before.overrun),
                truncated: EventSocket.sum(now.truncated) &- EventSocket.sum(before.truncated))
        )
    }

    private static func sum(_ byKind: (UInt64, UInt64, UInt64)) -> UInt64 {
        byKind.0 + byKind.1 + byKind.2
    }

    /// How many messages the kernel dropped since the last call, exactly; nil when this kernel cannot tell.
    mutating func takeOverruns() -> UInt64? {
        var total: UInt32 = 0
        guard cnf_events_overruns(handle, &total) == 0 else { return nil }
        defer { overrunsSeen = total }
        return UInt64(total &- overrunsSeen)
    }
}
