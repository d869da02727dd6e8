// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// Screens 2, 3 and 4: who makes entries, where NAT runs short of ports, what the kernel counts.

extension LivePage {
    /// The rows of `table`, whose first one is the head; `more` about each of the others.
    fileprivate mutating func take(_ table: TextTable, more: [[String]] = []) {
        let lines = table.lines()
        head += lines.prefix(1).map { LiveLine($0, .bold) }
        rows = lines.dropFirst().enumerated().map { index, line in
            Row(LiveLine(line), more: more.indices.contains(index) ? more[index] : [])
        }
    }
}

extension LiveView {
    // MARK: Who

    /// Sources and destinations of new entries, by their events.
    func whoPage() -> LivePage {
        var page = LivePage()
        guard let report, let talkers = report.sample.talkers else {
            page.empty = [whyNobody]
            return page
        }
        let isMinute = state.order == 0
        let window = isMinute ? talkers.minute : talkers.sinceStart
        let span = readable(seconds: window.span.inSeconds)
        let lost = window.lost > 0 ? ", \(window.lost) events lost meanwhile" : ""
        page.head = [
            LiveLine("who made new entries, of \(window.new) seen in \(isMinute ? "the last" : "all") \(span)\(lost)")
        ]
        var table = TextTable([.left(), .right, .right, .right, .left()])
        table.add(["", "at least", "share", "a second", ""])
        var more: [[String]] = []
        for (kind, list) in [("source", window.sources), ("destination", window.destinations)] {
            for talker in list.top {
                let perSecond = window.span > .zero ? Double(talker.atLeast) / window.span.inSeconds : 0
                table.add([
                    kind, "\(talker.atLeast)", window.share(of: talker).map(percent) ?? "", fixed(perSecond, 1),
                    talker.name,
                ])
                more.append(words(of: talker, kind, talkers))
            }
        }
        page.empty = ["no new entry was seen in that time"]
        guard !more.isEmpty else { return page }
        page.take(table, more: more)
        return page
    }

    private var whyNobody: String {
        guard let report else { return "no interval is over yet" }
        if let why = report.eventsReason {
            return "not known, since it is learnt from events and there are none: \(why)"
        }
        return report.sample.events == nil
            ? "not known: it is learnt from events, and none are listened to" : "no new entry was seen yet"
    }

    /// What the counters know of one, and what tells more.
    private func words(of talker: Talker, _ kind: String, _ talkers: Talkers) -> [String] {
        var lines = ["\(kind) \(talker.name)"]
        for (name, window) in [("in the last", talkers.minute), ("since the start,", talkers.sinceStart)] {
            let list = kind == "source" ? window.sources : window.destinations
            let span = readable(seconds: window.span.inSeconds)
            let known =
                list.top.first { $0.endpoint == talker.endpoint }.map { found in
                    found.atLeast == found.atMost
                        ? "\(found.atLeast) new entries" : "\(found.atLeast) to \(found.atMost) new entries"
                } ?? "not among the first: \(list.othersAtMost) new entries at most"
            lines.append("\(name) \(span): \(known), of \(window.new)")
        }
        lines.append(
            "entries in the table now, by a dump: \(topCommand(kind == "source" ? "source,destination,port" : "destination,port,source"))"
        )
        return lines
    }

    /// In the namespace that is watched.
    private func topCommand(_ fields: String) -> String {
        let isNamed = report?.netnsLabel ?? (identity.isInitialNamespace ? nil : identity.netns)
        let netns = isNamed.map { $0.hasPrefix("net:[") || $0 == "root" ? "" : " --netns \($0)" } ?? ""
        return "conntrack-mon top\(netns) --by \(fields)"
    }

    // MARK: NAT

    /// Addresses of NAT and how many of their ports are taken.
    func natPage() -> LivePage {
        if let known = report?.sample.natPorts { return natPage(known) }
        var page = LivePage()
        let survey = report?.sample.survey
        guard let report, let survey, let pair = survey.natPair else {
            let looked = survey.map { "a look into the table at \(clockTime($0.moment.wall)) found no NAT of IPv4" }
            page.empty = [
                looked
                    ?? "not known: no look into the table has told of it (one is made when an alert about its usage begins)",
                "now, by a dump: \(topCommand("nat-source,destination,port"))",
            ]
            return page
        }
        let age = report.sample.moment.monotonic - survey.moment.monotonic
        page.head = [
            LiveLine(
                "the NAT address with most ports in use, of \(survey.entries) entries"
                    + " \(readable(seconds: age.inSeconds)) ago")
        ]
        var table = TextTable([.right, .right, .right, .left()])
        table.add(["ports", "of", "share", ""])
        table.add([
            "\(pair.entries)", "\(Survey.natPorts)", percent(Double(pair.entries) / Double(Survey.natPorts)),
            pair.who.text,
        ])
        page.take(table, more: [["now, by a dump: \(topCommand("nat-source,destination,port"))"]])
        return page
    }

    /// What is counted by events, and kept right by dumps.
    private func natPage(_ known: NATPorts) -> LivePage {
        var page = LivePage()
        let now = "now, by a dump: \(topCommand("nat-source,destination,port"))"
        guard !known.uses.isEmpty else {
            page.empty = ["no NAT address of IPv4 has more than a few entries towards one destination", now]
            return page
        }
        let doubt = known.lost > 0 ? "; each may be wrong by the \(grouped(known.lost)) events that were lost" : ""
        page.head = [LiveLine("ports that NAT addresses use towards one destination\(doubt)")]
        var table = TextTable([.right, .right, .right, .right, .left()])
        table.add(["ports", "of", "share", "left", ""])
        for use in known.uses {
            table.add(["\(use.used)", "\(use.available)", percent(use.ratio), "\(use.left)", use.name])
        }
        page.take(table, more: known.uses.map { _ in [now] })
        return page
    }

    // MARK: Kernel

    /// The statistics as rates, and the hash.
    func kernelPage() -> LivePage {
        var page = LivePage()
        guard let report else {
            page.empty = ["no interval is over yet"]
            return page
        }
        let sample = report.sample
        page.head = hashLines(sample)
        guard let stats = sample.stats else {
            page.empty = [
                "no statistics: \(sample.statsObstacle?.words ?? "not to be had on this kernel, or not read yet")"
            ]
            return page
        }
        let cpus = sample.statsPerCPU.count > 1 ? sample.statsPerCPU.indices.prefix(8) : 0..<0
        var table = TextTable([.left()] + Array(repeating: .right, count: 3 + cpus.count))
        table.add(["", "a second", "in a minute", "total"] + cpus.map { "cpu\($0)" })
        var known = Stat.allCases.filter { stats[$0] != nil }
        if state.order == 1 {
            func weight(_ stat: Stat) -> UInt64 { sample.statsMinute?[stat] ?? 0 }
            known.sort { (weight($1), $0.rawValue) < (weight($0), $1.rawValue) }
        }
        for stat in known {
            let rate = sample.statsPerSecond(sample.statsNow?[stat]).map { fixed($0, 0) } ?? "-"
            let minute = sample.statsMinute?[stat].map { "\($0)" } ?? "-"
            let each = cpus.map { cpu in sample.statsPerCPU[cpu][stat].map { "\($0)" } ?? "-" }
            table.add([stat.name, rate, minute, stats[stat].map { "\($0)" } ?? "-"] + each)
        }
        page.take(table, more: known.map { ["\($0.name): \($0.meaning)"] })
        return page
    }

    private func hashLines(_ sample: Sample) -> [LiveLine] {
        var texts: [String] = []
        if let buckets = sample.buckets { texts.append("\(buckets) buckets") }
        if let chain = sample.chainLength {
            texts.append("average chain at least \(fixed(chain, 2)), by this namespace's entries")
        }
        if let why = sample.statsObstacle?.words { texts.append("statistics not read now: \(why)") }
        return texts.isEmpty ? [] : [LiveLine("hash     " + texts.joined(separator: ", "))]
    }
}

extension Stat {
    /// What it counts, in net/netfilter/nf_conntrack_core.c.
    fileprivate var meaning: String {
        switch self {
        case .found: "look-ups that found an entry; which look-ups are counted depends on the kernel"
        case .invalid: "packets that belong to no connection and cannot begin one"
        case .insert: "entries put in; which ones are counted depends on the kernel"
        case .insertFailed: "entries that could not be put in: mostly another packet of the same flow was first"
        case .drop: "packets dropped: their entry could not be put in, or the table was full"
        case .earlyDrop: "entries removed from a full table to make room"
        case .error: "packets that could not be tracked because of an error"
        case .searchRestart: "look-ups that began again since the hash was changed meanwhile"
        case .clashResolve: "entries put in beside another of the same flow that was first"
        case .chainTooLong: "entries refused since their hash chain was too long"
        case .expectNew: "expectations added"
        case .expectCreate: "expectations made by helpers or by hand"
        case .expectDelete: "expectations removed"
        }
    }
}
