// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import Glibc

// enum tcp_conntrack.
private let synRecvState: UInt8 = 2
private let establishedState: UInt8 = 3
private let timeWaitState: UInt8 = 7

/// Makes a `Survey` of a dump's entries as they stream by, in fixed memory: the host is short of something already.
struct SurveyCounter: ~Copyable {
    private var entries: UInt64 = 0
    private var synReceived: UInt64 = 0
    private var timeWait: UInt64 = 0
    private var idleEstablished: UInt64 = 0
    private var dns: UInt64 = 0
    private var sources: HeavyHitters
    private var natPairs: HeavyHitters
    /// An established connection with no more seconds left than this had no packet for an hour.
    private let idleBelow: UInt32?

    private static var capacity: Int { 4096 }
    private static var hour: UInt64 { 3600 }

    /// `establishedTimeout`: nf_conntrack_tcp_timeout_established in seconds, nil = not known.
    init(establishedTimeout: UInt64?, seed: HashSeed) {
        sources = HeavyHitters(capacity: SurveyCounter.capacity, seed: seed)
        natPairs = HeavyHitters(capacity: SurveyCounter.capacity, seed: seed)
        // With a timeout of an hour or less nothing is idle for that long.
        idleBelow = establishedTimeout.flatMap {
            $0 > SurveyCounter.hour ? UInt32(clamping: $0 - SurveyCounter.hour) : nil
        }
    }

    mutating func take(_ batch: borrowing Span<cnf_entry>) {
        for index in batch.indices { take(batch[index]) }
    }

    private mutating func take(_ entry: cnf_entry) {
        entries += 1
        sources.count(HeavyHitters.Key(sourceOf: entry))
        if Int32(entry.family) == AF_INET, entry.status & Status.sourceNAT != 0 {
            natPairs.count(HeavyHitters.Key(natPairOf: entry))
        }
        switch Int(entry.protocol) {
        case IPPROTO_UDP:
            if entry.original.destination_port == 53 { dns += 1 }
        case IPPROTO_TCP:
            switch entry.tcp_state {
            case synRecvState: synReceived += 1
            case timeWaitState: timeWait += 1
            case establishedState:
                if let idleBelow, entry.timeout <= idleBelow { idleEstablished += 1 }
            default: break
            }
        default: break
        }
    }

    /// What was seen, when the dump has ended.
    func survey(at moment: Moment, took: Duration, isInterrupted: Bool) -> Survey {
        var survey = Survey(moment: moment, took: took)
        survey.entries = entries
        survey.isInterrupted = isInterrupted
        survey.synReceived = synReceived
        survey.timeWait = timeWait
        if idleBelow != nil { survey.idleEstablished = idleEstablished }
        survey.dns = dns
        for counter in sources.highest(1) {
            survey.source = Survey.Holder(name: counter.key.addressText, entries: counter.count)
        }
        for counter in natPairs.highest(1) {
            survey.natPair = Survey.Holder(name: counter.key.natPairText, entries: counter.count)
        }
        return survey
    }
}

extension HeavyHitters.Key {
    /// As with events, an IPv6 source counts by its /64.
    fileprivate init(sourceOf entry: cnf_entry) {
        let high = unsafeBitCast(entry.original.source, to: (UInt64, UInt64).self).0
        self.init(high: high, low: 0, tag: UInt32(entry.family))
    }

    /// What NAT must keep apart by the source port alone: its address, where it goes, port and protocol. IPv4 only, so
    /// that both addresses find room; NAT of IPv6 is rare, and its addresses are many.
    fileprivate init(natPairOf entry: cnf_entry) {
        let nat = unsafeBitCast(entry.reply.destination, to: (UInt64, UInt64).self).0
        let destination = unsafeBitCast(entry.reply.source, to: (UInt64, UInt64).self).0
        self.init(high: nat, low: destination, tag: UInt32(entry.reply.source_port) << 8 | UInt32(entry.protocol))
    }

    fileprivate var natPairText: String {
        func bytes(_ word: UInt64) -> AddressBytes { unsafeBitCast((word, UInt64(0)), to: AddressBytes.self) }
        let family = UInt8(AF_INET)
        let destination = ConntrackMon.addressText(family: family, bytes(low), port: UInt16(tag >> 8))
        let address = ConntrackMon.addressText(family: family, bytes(high))
        return "\(address) -> \(destination)/\(protocolName(UInt8(tag & 0xff)))"
    }
}
