// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let eventsSilent = Rule(.eventsSilent, hold: .seconds(5), clear: .zero) { sample, _ in
        guard let isThere = sample.isNetlinkThere else { return nil }
        let calm = "nothing keeps events from coming any more"
        guard isThere else { return Verdict(.warning, if: true, netlinkIsGone(sample), calm: calm) }
        switch sample.silence {
        case nil: return .clear(calm)
        case .setting: return Verdict(.warning, if: true, eventsAreOff(sample), calm: calm)
        case .unheard(let entries):
            return Verdict(
                .warning, if: true, nobodyTells(of: entries, sample), calm: calm,
                values: ["unheard_entries": Double(entries)])
        }
    }

    /// Where /proc has no statistics they may be gone with the same module.
    private static func goesOn(_ sample: Sample) -> String {
        "table samples\(sample.statsObstacle == nil ? ", statistics" : "") and alerts about them go on"
    }

    private static func netlinkIsGone(_ sample: Sample) -> Explanation {
        Explanation(
            "no events since the reload: nf_conntrack came back without nf_conntrack_netlink", why: [goesOn(sample)],
            fix: .init("modprobe nf_conntrack_netlink, or watch --load-modules"))
    }

    private static func eventsAreOff(_ sample: Sample) -> Explanation {
        Explanation(
            "nf_conntrack_events is 0: the kernel makes no events in this network namespace; new and destroyed entries are"
                + " not counted",
            why: [goesOn(sample)],
            fix: .init(
                "sysctl -w net.netfilter.nf_conntrack_events=1 (entries made meanwhile never send one); if 0 is meant,"
                    + " --events none"))
    }

    private static func nobodyTells(of entries: UInt64, _ sample: Sample) -> Explanation {
        Explanation(
            "\(entries) entries came and no event told of them; new and destroyed entries are not counted",
            why: [
                "another module has taken ctnetlink's place as the notifier, or this kernel was built without"
                    + " CONFIG_NF_CONNTRACK_EVENTS, or packets wait in a queue before their entries are confirmed (NFQUEUE)",
                goesOn(sample),
            ],
            fix: .init("find that module (lsmod) or queue, or --events none"))
    }
}
