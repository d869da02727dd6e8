// SPDX-License-Identifier: GPL-3.0-or-later

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

/// Why no events come of a table that is seen to change.
public enum EventSilence: Equatable, Sendable {
    /// nf_conntrack_events is 0: the kernel makes none.
    case setting
    /// So many entries came and no event told of them: another module has taken the notifier's place.
    case unheard(entries: UInt64)
}

/// Which way events are to be read.
public enum SourceChoice: String, CaseIterable, Sendable {
    /// The fastest that this host allows.
    case auto
    /// A filter on a ctnetlink multicast socket that copies events into a ring in the kernel.
    case bpf
    /// A ctnetlink multicast socket, read by recvmmsg.
    case netlink
    /// None.
    case none
}

/// How events are taken off the socket.
public enum EventMethod: Equatable, Sendable {
    /// By a filter that copies them into a ring in the kernel, of so many bytes.
    case bpf(ring: Int)
    /// By recvmmsg; the receive buffer in bytes, as the kernel accounts it (twice what was asked for), and the errno
    /// value that kept it from being bpf, where that was tried.
    case netlink(receiveBuffer: Int, notBPF: Int32?)

    /// The name that `--source` and metrics use.
    public var source: String {
        if case .bpf = self { "bpf" } else { "netlink" }
    }
}

/// What stands between us and the events.
public struct EventObstacle: Error, Equatable, Sendable {
    /// What was being done.
    public enum Operation: CaseIterable, Sendable {
        /// Opening a netfilter netlink socket.
        case open
        /// Joining the groups for the first time.
        case join
        /// Leaving them.
        case leave
        /// Joining them again.
        case joinAgain
        /// Receiving.
        case receive
        /// Attaching a BPF ring.
        case attachRing
        /// Nothing: nf_conntrack_netlink is not loaded, and joining would load it.
        case netlinkAbsent
    }

    /// What was being done.
    public var operation: Operation
    /// The errno value, positive; 0 = there is none.
    public var code: Int32

    /// An obstacle.
    public init(_ operation: Operation, _ code: Int32 = 0) {
        self.operation = operation
        self.code = code
    }
}

/// How it stands with the events.
public enum EventStatus: Equatable, Sendable {
    /// Not asked for.
    case off
    /// Joined.
    case listening(EventMethod)
    /// Not to be had. `expected` when that is no fault: nobody asked for them by name.
    case unavailable(EventObstacle, expected: Bool)
    /// Listened, and then the socket failed.
    case failed(EventObstacle)
}

/// Why the event groups must not be joined now: it could load a module that somebody is just unloading.
public enum EventHindrance: CaseIterable, Sendable {
    /// nf_conntrack came or went a moment ago (`--settle`).
    case settling
    /// nf_conntrack is not loaded, or this network namespace has none.
    case moduleAbsent
    /// nf_conntrack_max is there and cannot be read.
    case limitUnreadable
    /// nf_conntrack_netlink is not loaded.
    case netlinkAbsent
}

/// How nf_conntrack_netlink, which sends the events, is there.
public enum NetlinkModule: CaseIterable, Sendable {
    /// Not loaded: joining an event group loads it, and nf_conntrack with it.
    case absent
    /// Being loaded or unloaded just now (its initstate is not "live").
    case changing
    /// Loaded.
    case live
    /// nf_conntrack is part of the kernel: nothing that listening loads can hold it.
    case builtIn

    /// Joining loads nothing.
    public var isThere: Bool { self == .live || self == .builtIn }
}
