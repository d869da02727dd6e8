// SPDX-License-Identifier: GPL-3.0-or-later

import UnitKit

@testable import ConntrackModel
@testable import ConntrackRecording

extension ReadingName {
    /// Readings of this name with every field filled, and with none. A new reading does not compile without its own.
    var examples: [Reading] {
        switch self {
        case .tick: [.tick]
        case .time: [.time]
        case .accept: [.accept]
        case .show: [.show]
        case .incident: [.incident]
        case .end: [.end(Ending("SIGTERM")), .end(Ending("a line\nbreak = \"quoted\" \u{e9}", isFailure: true))]
        case .stop: [.stop]
        case .settings: [.settings([]), .settings([("nf_conntrack_max", .max), ("nf_conntrack_acct", 0)])]
        case .kernel: [.kernel(KernelReading()), .kernel(.full)]
        case .log: [.log(TableFullCount()), .log(.some)]
        case .health: [.health(Health()), .health(.full)]
        case .configuration:
            [
                .configuration(ConfiguredSettings()),
                .configuration(
                    ConfiguredSettings(
                        limit: ConfiguredLimit(limit: 262_144, place: "/etc/sysctl.d/a.conf:3"),
                        parameters: ["acct": ConfiguredParameter(value: 1, place: "/etc/sysctl.conf:9")])),
            ]
        case .origin:
            [
                .origin(LimitOrigin()),
                .origin(
                    LimitOrigin(
                        memory: .max, release: KernelRelease("3.10.0-1160.el7.x86_64"), hashsize: 16384,
                        programs: [
                            LimitProgram(name: "tuned", value: nil, cure: "a"),
                            LimitProgram(
                                name: "kube-proxy", value: 131_072, onlyRaises: true, isCertain: false,
                                isRepeated: true,
                                cure: "b"),
                        ])),
            ]
        case .doctor:
            [
                .doctor(DoctorReport(why: [], settings: [], findings: [])),
                .doctor(
                    DoctorReport(
                        reloadWouldUnload: true, why: ["x"], reloadLimit: 0, limit: 65536, module: .builtIn,
                        limitOrigin: "o", settings: [OutlookRow(name: "nf_conntrack_max", now: 1, configured: 2)],
                        findings: [
                            Finding(
                                id: "i", severity: .critical, certainty: .certain, summary: "s", evidence: [], cure: "c"
                            )
                        ], noConfiguration: false)),
            ]
        case .survey:
            [
                .survey(.success(Survey(moment: .at(0))), took: .zero),
                .survey(.success(.full), took: .milliseconds(7)),
                .survey(.failure(SystemError("dump", "the table", 1)), took: .nanoseconds(1)),
            ]
        }
    }
}

extension KernelReading {
    fileprivate static var full: KernelReading {
        var reading = KernelReading()
        reading.buckets = 65536
        reading.statistics = StatisticsReading(
            perCPU: [StatValues([.found: 1, .insertFailed: .max]), StatValues()], restarted: true)
        reading.statisticsObstacle = .sysfsSilent
        reading.traffic = Traffic(tcpOpens: 9)
        reading.module = .loaded
        reading.isNetlinkThere = true
        reading.namespace = .replaced
        reading.degraded = [
            Degradation(part: "uevents", reason: "r", remains: "m"), Degradation(part: "p", reason: ""),
        ]
        return reading
    }
}

extension TableFullCount {
    fileprivate static var some: TableFullCount {
        var count = TableFullCount()
        (count.ours, count.unnamed) = (3, 4)
        return count
    }
}

extension Health {
    fileprivate static var full: Health {
        var health = Health()
        health.degraded = [Degradation(part: "textfile", reason: "full")]
        health.sinkLost = [("lines", 1), ("hook", .max)]
        (health.ringCapacity, health.ringPeak, health.cpuSeconds) = (65536, 12, 0.1 + 0.2)
        return health
    }
}

extension Survey {
    fileprivate static var full: Survey {
        var survey = Survey(moment: .at(1.25), took: .milliseconds(7))
        survey.entries = 100
        survey.isInterrupted = true
        survey.synSent = 1
        survey.synReceived = 2
        survey.timeWait = 3
        survey.idleEstablished = 4
        survey.establishedTimeout = 432_000
        survey.dns = 5
        survey.unreplied = 6
        survey.translated = 7
        if let prefix = AddressPrefix("2001:db8:0:2::/64"), let address = Address("203.0.113.9") {
            let endpoint = Flow.Endpoint(AddressPrefix(address), protocol: .tcp, port: 443)
            survey.source = Survey.Holder(prefix, entries: 8)
            survey.destination = Survey.Holder(endpoint, entries: 9)
            survey.natPair = Survey.Holder(Survey.NATPair(address: address, destination: endpoint), entries: 10)
        }
        return survey
    }
}
