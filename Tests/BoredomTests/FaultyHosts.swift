// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackModel

/// Hosts on which something is wrong: what must be said of it, how soon, and that nothing else is.
enum FaultyHosts {
    static let all = [
        flushed, stopped, exhausted, evicting, refusing, reloaded, losing, losingLittle, silent, lowered, clashing,
    ]

    private static let serving = [
        Flows.requests("https", .steady(100)), .queries("dns", .steady(20)), .connections("websocket", open: 3000),
    ]

    static let flushed = Scenario(
        name: "conntrack -F by a program", lasts: "0:30:00",
        host: HostPlan(flows: serving, met: 0.5),
        happens: [.init("0:20:00", "conntrack -F", .flush)],
        says: [Expected("NOTICE table_flushed", after: "0:20:00", within: 4, "a program deleted")])

    static let stopped = Scenario(
        name: "the rules are flushed", lasts: "0:30:00",
        host: HostPlan(flows: serving, met: 0.5, toldEach: .max),
        happens: [.init("0:20:00", "nft flush ruleset", .tracking(false))],
        // A whole minute without a new connection, and what TCP opens is read each 10 s.
        says: [Expected("NOTICE tracking_stopped", after: "0:20:00", within: 75, "nft flush ruleset")])

    static let exhausted = Scenario(
        name: "a table that is exhausted by unanswered SYNs", lasts: "0:40:00",
        host: HostPlan(
            limit: 65_536, flows: serving + [.unanswered("flood", .between("0:20:00", "0:24:00", 900))], met: 0.5),
        happens: [
            .init("0:20:00", "SYNs that nobody answers, 900 a second"), .init("0:24:00", "no more of them"),
        ],
        says: [
            // At half of the table, and then confirmed for 30 s.
            Expected("WARNING fill_forecast", after: "0:20:00", within: 60, "full in", "filling by"),
            Expected("CRITICAL usage_high", after: "0:20:00", within: 60, "of 65536 entries"),
            Expected("NOTICE early_drop", after: "0:20:00", within: 65, "live entries evicted"),
            Expected("WARNING early_drop", after: "0:20:00", within: 75, "evicts live entries"),
            Expected("CRITICAL table_full", after: "0:20:00", within: 90, "65536 of 65536", "are refused"),
            Expected("RESOLVED fill_forecast", after: "0:21:00", within: 75, "not filling"),
            Expected("RESOLVED early_drop", after: "0:24:00", within: 150),
            Expected("RESOLVED table_full", after: "0:24:00", within: 150, "nothing dropped for a minute"),
            Expected("RESOLVED usage_high", after: "0:24:00", within: 180),
        ])

    static let evicting = Scenario(
        name: "a full table that evicts", lasts: "0:40:00",
        host: HostPlan(
            limit: 16_384, buckets: 8192,
            flows: [
                .connections("websocket", open: 6000),
                .queries("dns", .steady(130) + .between("0:20:00", "0:30:00", 220)),
            ],
            met: 0.2),
        happens: [
            .init("0:20:00", "2.7 times the queries: the table is full, and evicts"), .init("0:30:00", "as before"),
        ],
        says: [
            Expected("CRITICAL usage_high", after: "0:20:00", within: 45, "full in"),
            Expected("NOTICE early_drop", after: "0:20:00", within: 45, "live entries evicted"),
            Expected("WARNING early_drop", after: "0:20:00", within: 60, "evicts live entries"),
            Expected("RESOLVED early_drop", after: "0:30:00", within: 100),
            Expected("RESOLVED usage_high", after: "0:30:00", within: 100),
        ])

    static let refusing = Scenario(
        name: "a full table that mostly evicts, and refuses now and then", lasts: "0:40:00",
        host: HostPlan(
            limit: 16_384, buckets: 16_384,
            flows: [
                .connections("websocket", open: 6000),
                .queries("dns", .steady(130) + .between("0:20:00", "0:30:00", 220)),
            ],
            met: 0.2),
        happens: [
            .init("0:20:00", "2.7 times the queries: the table is full, and evicts"), .init("0:30:00", "as before"),
        ],
        says: [
            Expected("CRITICAL usage_high", after: "0:20:00", within: 45, "full in"),
            Expected("NOTICE early_drop", after: "0:20:00", within: 45, "live entries evicted"),
            Expected("WARNING early_drop", after: "0:20:00", within: 60, "evicts live entries"),
            // Of what evicts mostly, when the first is refused is chance.
            Expected("CRITICAL table_full", after: "0:20:00", within: 300, "are refused"),
            Expected("RESOLVED early_drop", after: "0:30:00", within: 130),
            Expected("RESOLVED table_full", after: "0:30:00", within: 130),
            Expected("RESOLVED usage_high", after: "0:30:00", within: 130),
        ])

    static let reloaded = Scenario(
        name: "a reload that drops the limit", lasts: "0:30:00", looks: 0.1,
        host: HostPlan(limit: 1_048_576, flows: serving, met: 0.5, configured: 1_048_576),
        happens: [
            .init("0:20:00", "systemctl restart firewalld", .reload(gone: 0.4, limit: 262_144)),
            .init("0:22:00", "sysctl -w net.netfilter.nf_conntrack_max=1048576", .limit(1_048_576)),
        ],
        says: [
            Expected("NOTICE module_reloaded", after: "0:20:00", within: 1),
            Expected("WARNING limit_dropped", after: "0:20:00", within: 4, "1048576 -> 262144", "module reloaded"),
            Expected("RESOLVED limit_dropped", after: "0:22:00", within: 1),
        ])

    static let losing = Scenario(
        name: "events are lost", lasts: "0:30:00",
        host: HostPlan(flows: serving, met: 0.5),
        happens: [.init("0:20:00", "the reader is starved: 2000 events are lost", .lose(2000))],
        says: [
            Expected("WARNING events_lost", after: "0:20:00", within: 2, "overrun", "--receive-buffer"),
            Expected("RESOLVED events_lost", after: "0:21:00", within: 90),
        ])

    static let losingLittle = Scenario(
        name: "a few events are lost", lasts: "0:30:00",
        host: HostPlan(flows: serving, met: 0.5),
        happens: [.init("0:20:00", "20 events are lost", .lose(20))],
        says: [Expected("NOTICE events_lost", after: "0:20:00", within: 2, "20 events (20 overrun) lost")])

    static let silent = Scenario(
        name: "nf_conntrack_events=0", lasts: "0:30:00",
        host: HostPlan(flows: serving, met: 0.5),
        happens: [
            .init("0:20:00", "sysctl -w net.netfilter.nf_conntrack_events=0", .setting("nf_conntrack_events", 0)),
            .init("0:25:00", "sysctl -w net.netfilter.nf_conntrack_events=1", .setting("nf_conntrack_events", 1)),
        ],
        says: [
            Expected("NOTICE parameter_changed", after: "0:20:00", within: 12, "events 2 -> 0"),
            Expected("WARNING events_silent", after: "0:20:00", within: 20, "nf_conntrack_events is 0"),
            Expected("RESOLVED events_silent", after: "0:25:00", within: 15),
            Expected("NOTICE parameter_changed", after: "0:25:00", within: 15, "events 0 -> 1"),
        ])

    static let lowered = Scenario(
        name: "a limit that is lowered by hand", lasts: "0:50:00",
        host: HostPlan(limit: 1_048_576, flows: serving, met: 0.5),
        happens: [.init("0:20:00", "sysctl -w net.netfilter.nf_conntrack_max=65536", .limit(65_536))],
        says: [
            Expected("WARNING limit_dropped", after: "0:20:00", within: 1.2, "1048576 -> 65536", "written while"),
            Expected("RESOLVED limit_dropped", after: "0:35:00", within: 3, "--adopt"),
        ])

    static let clashing = Scenario(
        name: "DNS behind NAT whose entries clash", lasts: "0:40:00",
        host: HostPlan(flows: serving + [.queries("nat dns", .steady(200))], met: 0.5),
        happens: [
            .init(
                "0:20:00", "two queries from one port, again and again",
                .statistic(.insertFailed, perSecond: 5, for: 600)),
            .init("0:30:00", "fixed by a local cache"),
        ],
        says: [
            Expected("WARNING insert_clash", after: "0:20:00", within: 125, "two DNS queries"),
            Expected("RESOLVED insert_clash", after: "0:30:00", within: 125),
        ])
}
