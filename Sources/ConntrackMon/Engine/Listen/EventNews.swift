// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import Glibc

/// What is to be said of the events when their status changes, and what of it is a fault. All words about them are here.
package struct EventNews: Sendable {
    private let kernel: String
    private let source: SourceChoice
    private let remains: String

    /// The last status that was taken.
    private(set) package var status = EventStatus.off

    /// `kernel`: the running kernel's release, "6.1.0-56-cloud-amd64"; `source`: what was asked for;
    /// `hasStatistics`: they do not come the same way as events.
    package init(kernel: String, source: SourceChoice, hasStatistics: Bool = true) {
        self.kernel = kernel
        self.source = source
        remains =
            hasStatistics ? "table samples, statistics and alerts go on" : "table samples and alerts about them go on"
    }

    /// How events are read; nil when they are not.
    package var method: EventMethod? {
        if case .listening(let method) = status { method } else { nil }
    }

    /// Why there are none, and how to have them; nil when there are, or they ended, or nobody asked for any.
    package var unavailable: String? {
        if case .unavailable(let obstacle, _) = status { reason(obstacle) + cure(obstacle) } else { nil }
    }

    /// Why there are none any more; nil when there are, or never were.
    package var ended: String? {
        if case .failed(let obstacle) = status { reason(obstacle) } else { nil }
    }

    /// Takes the present status; a line for the monitor's own log when it is a new one.
    package mutating func take(_ status: EventStatus) -> String? {
        guard status != self.status else { return nil }
        self.status = status
        switch status {
        case .off, .unavailable(_, expected: false): return nil
        case .listening(.bpf(let bytes)): return "events by bpf, through a ring in the kernel of \(bytes) bytes"
        case .listening(.netlink(let bytes, let notBPF)):
            let instead = notBPF.map { "; not by bpf: \(whyNoRing($0))" } ?? ""
            return "events by netlink, read in batches (receive buffer \(bytes) bytes)\(instead)"
        case .unavailable(let obstacle, expected: true):
            return "no events: \(reason(obstacle))\(cure(obstacle)); \(remains)"
        case .failed(let obstacle): return "events ended: \(reason(obstacle))"
        }
    }

    /// Events that were asked for by name, or worked before, and are not to be had.
    package var degradation: Degradation? {
        switch status {
        case .unavailable(let obstacle, expected: false):
            Degradation(part: "events", reason: reason(obstacle) + cure(obstacle), remains: remains)
        case .failed(let obstacle):
            Degradation(part: "events", reason: reason(obstacle), remains: remains)
        case .off, .listening, .unavailable:
            nil
        }
    }

    private func reason(_ obstacle: EventObstacle) -> String {
        let (verb, object) =
            switch obstacle.operation {
            case .open: ("open", "a netfilter netlink socket")
            case .join: ("join", "the conntrack event groups")
            case .leave: ("leave", "the conntrack event groups")
            case .joinAgain: ("join again", "the conntrack event groups")
            case .receive: ("receive from", "the conntrack event socket")
            case .attachRing: ("read", "events by bpf (\(whyNoRing(obstacle.code)))")
            case .netlinkAbsent: ("", "")
            }
        guard obstacle.operation != .netlinkAbsent else {
            return "nf_conntrack_netlink is not loaded; to have events: modprobe nf_conntrack_netlink,"
                + " or watch --load-modules"
        }
        return "\(SystemError(verb, object, obstacle.code))"
    }

    private func cure(_ obstacle: EventObstacle) -> String {
        guard obstacle.code == EPERM else { return "" }
        return source == .bpf
            ? "; events need CAP_NET_ADMIN and CAP_BPF: setcap cap_net_admin,cap_bpf+ep conntrack-mon"
            : "; events need CAP_NET_ADMIN: setcap cap_net_admin+ep conntrack-mon"
    }

    /// What keeps a BPF ring from being had, in the words of its cure.
    func whyNoRing(_ code: Int32) -> String {
        switch code {
        case ELIBACC: "libbpf.so.1 is not installed"
        case EPERM, EACCES: "no CAP_BPF"
        case EINVAL: "kernel \(kernel) has no ring buffer"
        case ENOSYS: "kernel \(kernel) has no bpf(2)"
        default: SystemError.text(code)
        }
    }
}

extension EventHindrance {
    /// "nf_conntrack is not loaded".
    package var words: String {
        switch self {
        case .settling: "nf_conntrack was loaded a moment ago (--settle)"
        case .moduleAbsent: "nf_conntrack is not loaded"
        case .limitUnreadable: "nf_conntrack_max cannot be read"
        case .netlinkAbsent: "nf_conntrack_netlink is not loaded"
        }
    }
}

extension EventSilence {
    /// "nf_conntrack_events is 0".
    package var words: String {
        switch self {
        case .setting: "nf_conntrack_events is 0"
        case .unheard(let entries): "\(entries) entries came and no event told of them"
        }
    }
}
