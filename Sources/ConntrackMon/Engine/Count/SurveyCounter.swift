// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel

/// Makes a `Survey` of a dump's entries as they stream by, in fixed memory: the host is short of something already.
package struct SurveyCounter: ~Copyable {
    private var entries: UInt64 = 0
    private var synSent: UInt64 = 0
    private var synReceived: UInt64 = 0
    private var timeWait: UInt64 = 0
    private var idleEstablished: UInt64 = 0
    private var dns: UInt64 = 0
    private var unreplied: UInt64 = 0
    private var translated: UInt64 = 0
    private var sources: HeavyHitters
    private var destinations: HeavyHitters
    private var natPairs: HeavyHitters
    private let establishedTimeout: UInt64?
    /// An established connection with no more seconds left than this had no packet for an hour.
    private let idleBelow: UInt32?

    private static var capacity: Int { 4096 }
    private static var listedPairs: Int { 512 }
    private static var leastPair: UInt64 { 8 }
    private static var hour: UInt64 { 3600 }

    /// `establishedTimeout`: nf_conntrack_tcp_timeout_established in seconds, nil = not known.
    package init(establishedTimeout: UInt64?, seed: HashSeed) {
        self.establishedTimeout = establishedTimeout
        sources = HeavyHitters(capacity: SurveyCounter.capacity, seed: seed)
        destinations = HeavyHitters(capacity: SurveyCounter.capacity, seed: seed)
        natPairs = HeavyHitters(capacity: SurveyCounter.capacity, seed: seed)
        // With a timeout of an hour or less nothing is idle for that long.
        idleBelow = establishedTimeout.flatMap {
            $0 > SurveyCounter.hour ? UInt32(clamping: $0 - SurveyCounter.hour) : nil
        }
    }

    /// Counts each of `batch`.
    package mutating func take(_ batch: borrowing Span<cnf_entry>) {
        for index in batch.indices { take(batch[index]) }
    }

    private mutating func take(_ entry: cnf_entry) {
        entries += 1
        sources.count(HeavyHitters.Key(sourceOf: entry))
        destinations.count(HeavyHitters.Key(destinationOf: entry))
        let status = EntryStatus(rawValue: entry.status)
        if !status.contains(.seenReply) { unreplied += 1 }
        if !status.isDisjoint(with: [.sourceNAT, .destinationNAT]) { translated += 1 }
        if status.contains(.sourceNAT), let key = NATKey(entry) { natPairs.count(key.counted) }
        switch IPProtocol(rawValue: entry.protocol) {
        case .udp:
            if entry.original.destination_port == 53 { dns += 1 }
        case .tcp:
            switch TCPState(rawValue: entry.tcp_state) {
            case .synSent: synSent += 1
            case .synReceived: synReceived += 1
            case .timeWait: timeWait += 1
            case .established:
                if let idleBelow, entry.timeout <= idleBelow { idleEstablished += 1 }
            default: break
            }
        default: break
        }
    }

    /// What was seen, when the dump has ended.
    package func survey(at moment: Moment, took: Duration, isInterrupted: Bool) -> Survey {
        var survey = Survey(moment: moment, took: took)
        survey.entries = entries
        survey.isInterrupted = isInterrupted
        survey.synSent = synSent
        survey.synReceived = synReceived
        survey.unreplied = unreplied
        survey.translated = translated
        survey.timeWait = timeWait
        if idleBelow != nil { survey.idleEstablished = idleEstablished }
        survey.dns = dns
        survey.establishedTimeout = establishedTimeout
        for counter in destinations.highest(1) {
            survey.destination = Survey.Holder(counter.key.endpoint, entries: counter.count)
        }
        for counter in sources.highest(1) {
            survey.source = Survey.Holder(counter.key.endpoint.prefix, entries: counter.count)
        }
        addNATPairs(to: &survey)
        return survey
    }

    private func addNATPairs(to survey: inout Survey) {
        let highest = natPairs.highest(SurveyCounter.listedPairs + 1).filter { $0.count >= SurveyCounter.leastPair }
        survey.natPairs = highest.prefix(SurveyCounter.listedPairs).map {
            Survey.Holder(NATKey(counted: $0.key).pair, entries: $0.count)
        }
        survey.natPair = survey.natPairs.first
        let next =
            highest.count > SurveyCounter.listedPairs
            ? highest[SurveyCounter.listedPairs].count : natPairs.used > highest.count ? SurveyCounter.leastPair - 1 : 0
        survey.natUnlisted = next + natPairs.error
    }
}

extension HeavyHitters.Key {
    /// As with events, an IPv6 source counts by its /64.
    fileprivate init(sourceOf entry: cnf_entry) {
        self.init(source: AddressWords(entry.original.source).high, family: entry.family)
    }

    /// As with events, before any translation.
    fileprivate init(destinationOf entry: cnf_entry) {
        self.init(
            destination: AddressWords(entry.original.destination), port: entry.original.destination_port,
            protocol: entry.protocol, family: entry.family)
    }
}
