// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackModel

/// Hosts on which nothing is wrong, and what happens on them all the same.
enum BoringHosts {
    static let all = [
        quiet, web, resolver, gateway, kubernetes, batch, restart, deploy, lateSweeps, burst, suspended, backup, flood,
        plateau, batchNight, suspendedNight, quietWeek, webWeek,
    ]

    // MARK: What they serve

    private static let idle = [
        Flows.requests("ssh", .steady(0.02), lives: 30, port: 22),
        Flows.queries("dns", .steady(0.15)),
        Flows.streams("ntp", .every(64, for: 1, 2), lives: 0, port: 123),
    ]
    private static let serving = [
        Flows.requests("https", .daily(low: 40, high: 160, from: 9) + .every(10, for: 1, 30)),
        Flows.queries("dns", .steady(20)),
        Flows.connections("websocket", open: 3000),
    ]

    // MARK: An hour

    static let quiet = Scenario(
        name: "a quiet host", lasts: "1:00:00", looks: 0.1, host: HostPlan(flows: idle, met: 0.001, sweepsEvery: 60))

    static let web = Scenario(
        name: "a busy web server", lasts: "1:00:00", looks: 0.1,
        host: HostPlan(limit: 131_072, flows: serving, met: 0.5, configured: 131_072, toldEach: 2),
        happens: [
            .init("0:10:00", "nft -f reloads the rules: nothing is tracked for a moment", .tracking(false)),
            .init("0:10:00.3", "the rules are there", .tracking(true)),
            .init("0:25:00", "an advertisement: three times the requests", .factor(3, of: "https")),
            .init("0:35:00", "over", .factor(1, of: "https")),
        ])

    static let resolver = Scenario(
        name: "a DNS resolver", lasts: "1:00:00",
        host: HostPlan(
            flows: [.queries("dns", .steady(1500)), .requests("dns over tcp", .steady(20), lives: 1, port: 53)],
            met: 0.3, statistics: [.found: 4000, .invalid: 2, .insertFailed: 0.2], toldEach: 2),
        happens: [
            .init("0:20:00", "a storm: three times the queries", .factor(3, of: "dns")),
            .init("0:23:00", "over", .factor(1, of: "dns")),
            .init("0:40:00", "a burst of 60000 queries in one moment", .burst(60_000, of: "dns")),
        ])

    static let gateway = Scenario(
        name: "a NAT gateway", lasts: "1:00:00",
        host: HostPlan(
            limit: 1_048_576, buckets: 262_144,
            flows: [
                .requests("https", .steady(150), lives: 20).forwarded, .queries("dns", .steady(150)),
                .streams("quic", .steady(60), lives: 40), .forgotten("phones", .steady(10), timeout: 7200).forwarded,
                .connections("vpn", open: 900),
            ],
            met: 0.2, statistics: [.found: 3000, .invalid: 12, .insertFailed: 0.2, .clashResolve: 1],
            configured: 1_048_576),
        happens: [
            .init(
                "0:30:00", "the uplink is gone for half a minute", .factor(0.02, of: "https"),
                .factor(0.1, of: "quic")),
            .init("0:30:30", "it is back", .factor(3, of: "https"), .factor(1, of: "quic")),
            .init("0:31:00", "as before", .factor(1, of: "https")),
        ])

    static let kubernetes = Scenario(
        name: "a Kubernetes node", lasts: "1:00:00", looks: 0.1,
        host: HostPlan(
            limit: 131_072,
            flows: [
                .requests("services", .steady(90) + .every(10, for: 1, 200), lives: 1, port: 8080),
                .queries("dns", .steady(80)), .connections("pods", open: 2500),
            ],
            met: 0.4, statistics: [.found: 2000, .invalid: 3, .insertFailed: 0.2],
            origin: LimitOrigin(
                memory: 16 << 30,
                programs: [
                    LimitProgram(name: "kube-proxy", value: 131_072, cure: "change kube-proxy's --conntrack-min")
                ]), toldEach: 2),
        happens: [
            .init("0:00:30", "kube-proxy writes its 131072 again", .limit(131_072)),
            .init("0:20:00", "a DNS pod is replaced: kube-proxy deletes its entries", .delete(800, of: "dns")),
            .init("0:30:30", "kube-proxy writes its 131072 again", .limit(131_072)),
            .init(
                "0:40:00", "a node is drained: its pods' connections are reset",
                .close(1500, of: "pods", timeout: 10)),
            .init("0:40:05", "they come again", .open(1500, of: "pods")),
        ])

    static let batch = Scenario(
        name: "a batch host", lasts: "1:00:00",
        host: HostPlan(
            flows: [.requests("job", .between("0:10:00", "0:40:00", 60), lives: 1, port: 5432)],
            met: 0.001, sweepsEvery: 60, toldEach: .max),
        happens: [.init("0:10:00", "the job begins"), .init("0:40:00", "the job is done, nothing else comes")],
        says: [Expected("NOTICE nothing_tracked", after: "0:00:00", within: 3)])

    static let restart = Scenario(
        name: "a restart of a busy service", lasts: "1:00:00",
        host: HostPlan(flows: serving, met: 0.02, sweepsEvery: 60),
        happens: [
            .init(
                "0:20:00", "the service stops: its connections are reset", .close(3000, of: "websocket", timeout: 10),
                .factor(0, of: "https")),
            .init("0:20:04", "it is back, and so are they", .open(3000, of: "websocket"), .factor(1, of: "https")),
        ])

    static let deploy = Scenario(
        name: "a deploy that closes 20,000 connections", lasts: "1:00:00", looks: 0.1,
        host: HostPlan(
            flows: [.requests("https", .steady(20)), .connections("websocket", open: 20_000)], met: 0.01,
            sweepsEvery: 60),
        happens: [
            .init(
                "0:20:00", "the old version closes all of its connections",
                .close(20_000, of: "websocket", timeout: 120)),
            .init("0:20:30", "the new one has them again", .open(20_000, of: "websocket")),
            .init("0:40:00", "again, reset this time", .close(20_000, of: "websocket", timeout: 10)),
            .init("0:50:00", "the new one has them again", .open(20_000, of: "websocket")),
        ])

    static let lateSweeps = Scenario(
        name: "a sweep that comes late", lasts: "1:00:00", looks: 0.1,
        host: HostPlan(
            flows: [.queries("dns", .every(120, for: 2, 4000)), .requests("ssh", .steady(0.1), port: 22)], met: 0,
            sweepsEvery: 60))

    static let burst = Scenario(
        name: "a burst of one moment that expires together", lasts: "1:00:00",
        host: HostPlan(flows: idle + [.streams("probes", .steady(0), lives: 0, port: 33_434)], met: 0, sweepsEvery: 1),
        happens: [
            .init("0:15:00", "a scan out of this host: 40000 packets in one moment", .burst(40_000, of: "probes")),
            .init("0:35:00", "another one", .burst(5000, of: "probes")),
        ])

    static let suspended = Scenario(
        name: "a host that is suspended", lasts: "1:00:00", looks: 0.1,
        host: HostPlan(
            flows: [.requests("browser", .steady(2)), .queries("dns", .steady(3)), .connections("chat", open: 1500)],
            met: 0.01, sweepsEvery: 60),
        happens: [
            .init("0:10:00", "the lid is closed for twenty minutes", .suspend(seconds: 1200)),
            .init("0:30:01", "the peers have forgotten it", .close(1500, of: "chat", timeout: 10)),
            .init("0:50:00", "closed for six seconds", .suspend(seconds: 6)),
        ],
        says: [
            Expected("NOTICE sampling_gap", after: "0:30:00", within: 2, "no sample for 20m"),
            Expected("NOTICE sampling_gap", after: "0:50:06", within: 2, "no sample for 6"),
        ])

    static let backup = Scenario(
        name: "a backup that slows the disk", lasts: "1:00:00",
        host: HostPlan(flows: serving, met: 0.5, configured: 262_144),
        happens: [
            .init("0:20:00", "the backup begins: a file takes two seconds", .disk(seconds: 2)),
            .init("0:25:00", "it takes eight", .disk(seconds: 8)),
            .init("0:30:00", "somebody raises the limit meanwhile", .limit(524_288)),
            .init("0:40:00", "the backup is done", .disk(seconds: 0.02)),
        ],
        says: [Expected("NOTICE limit_changed", after: "0:30:00", within: 2, "262144 -> 524288")])

    static let flood = Scenario(
        name: "SYNs to closed ports", lasts: "1:00:00",
        host: HostPlan(flows: serving + [.refused("scan", .between("0:20:00", "0:40:00", 2000))], met: 0.5),
        happens: [.init("0:20:00", "a scanner knocks 2000 times a second"), .init("0:40:00", "it gives up")])

    static let plateau = Scenario(
        name: "a long plateau after a quick rise", lasts: "1:00:00",
        host: HostPlan(
            limit: 65_536, flows: [.queries("dns", .steady(300)), .connections("clients", open: 4000)], met: 0.5),
        happens: [
            .init(
                "0:20:00", "all clients come in half a minute",
                .open(9000, of: "clients")),
            .init("0:20:10", "more of them", .open(9000, of: "clients")),
            .init("0:20:20", "the last", .open(9000, of: "clients"), .factor(1.3, of: "dns")),
        ])

    // MARK: A night

    static let batchNight = Scenario(
        name: "a batch host, a night", lasts: "8:00:00", interval: 5,
        host: HostPlan(
            flows: [
                .requests("job", .between("1:00:00", "3:30:00", 80), lives: 2, port: 5432),
                .requests("export", .between("5:00:00", "5:20:00", 300), lives: 0, port: 443),
            ],
            met: 0.001, sweepsEvery: 60, toldEach: .max),
        happens: [
            .init("1:00:00", "the job begins"), .init("3:30:00", "the job is done"),
            .init("5:00:00", "the export begins"),
            .init("5:20:00", "the export is done"),
        ],
        says: [Expected("NOTICE nothing_tracked", after: "0:00:00", within: 12)])

    static let suspendedNight = Scenario(
        name: "a host that is suspended, a night", lasts: "8:00:00",
        host: HostPlan(
            flows: [.requests("browser", .steady(3)), .queries("dns", .steady(3)), .connections("chat", open: 1500)],
            met: 0.01, sweepsEvery: 60),
        happens: [
            .init("1:00:00", "the lid is closed", .suspend(seconds: 6 * 3600)),
            .init("7:00:02", "the peers have forgotten it", .close(1500, of: "chat", timeout: 10)),
        ],
        says: [Expected("NOTICE sampling_gap", after: "7:00:00", within: 2, "no sample for 6h")])

    // MARK: A week

    static let quietWeek = Scenario(
        name: "a quiet host, a week", lasts: "7d 0:00:00", looks: 20, interval: 60,
        host: HostPlan(flows: idle, met: 0.001, sweepsEvery: 60))

    static let webWeek = Scenario(
        name: "a busy web server, a week", lasts: "7d 0:00:00", looks: 20, interval: 60,
        host: HostPlan(
            limit: 65_536,
            flows: [
                .requests("https", .daily(low: 20, high: 220)), .queries("dns", .daily(low: 5, high: 40)),
                .connections("websocket", open: 5000),
            ],
            met: 0.3, statistics: [.found: 900, .invalid: 1, .insertFailed: 0.2], configured: 65_536),
        happens: [
            .init("2d 10:00:00", "a deploy", .close(5000, of: "websocket", timeout: 120)),
            .init("2d 10:01:00", "all are back", .open(5000, of: "websocket")),
            .init("4d 03:00:00", "the backup slows the disk", .disk(seconds: 4)),
            .init("4d 04:00:00", "the backup is done", .disk(seconds: 0.02)),
        ])
}
