// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// What of an entry makes its group, as masks.
struct TopMasks {
    /// Which bits of each address count; none where a field is not grouped by.
    private struct Addresses {
        var source = AddressWords()
        var destination = AddressWords()
        var natSource = AddressWords()
        var natDestination = AddressWords()

        init(_ fields: [TopField], prefix: Int) {
            let mask = AddressWords.mask(prefix: prefix)
            if fields.contains(.source) { source = mask }
            if fields.contains(.destination) { destination = mask }
            if fields.contains(.natSource) { natSource = mask }
            if fields.contains(.natDestination) { natDestination = mask }
        }
    }

    private let ipv4: Addresses
    private let ipv6: Addresses
    private let traits: TopTraits

    init(_ grouping: TopGrouping) {
        ipv4 = Addresses(grouping.fields, prefix: grouping.prefix4)
        ipv6 = Addresses(grouping.fields, prefix: grouping.prefix6)
        traits = grouping.fields.reduce(into: TopTraits()) { traits, field in
            let mask = TopMasks.traits(of: field)
            traits.numbers |= mask.numbers
            traits.kinds |= mask.kinds
        }
    }

    /// The bits that `field` needs. The same address is another one in another family, the same port in another protocol.
    private static func traits(of field: TopField) -> TopTraits {
        let family: UInt64 = 0xff << 16
        return switch field {
        case .source, .destination: TopTraits(kinds: family)
        case .natSource: TopTraits(kinds: 0xff << 32 | TopTraits.hasNATSource)
        case .natDestination: TopTraits(kinds: 0xff << 40 | TopTraits.hasNATDestination)
        case .port: TopTraits(numbers: 0xffff << 16, kinds: 0xff)
        case .state: TopTraits(kinds: 0xff << 8)
        case .protocol: TopTraits(kinds: 0xff)
        case .zone: TopTraits(numbers: 0xffff)
        case .mark: TopTraits(numbers: 0xffff_ffff << 32)
        case .assured: TopTraits(kinds: TopTraits.assured)
        case .nat: TopTraits(kinds: TopTraits.sourceNAT | TopTraits.destinationNAT)
        }
    }

    /// Which of a key's numbers can be other than 0.
    var wordsInUse: [Int] {
        var all = TopKey()
        all.source = ipv4.source | ipv6.source
        all.destination = ipv4.destination | ipv6.destination
        all.natSource = ipv4.natSource | ipv6.natSource
        all.natDestination = ipv4.natDestination | ipv6.natDestination
        all.traits = traits
        let words = all.words
        return words.indices.filter { words[$0] != 0 }
    }

    /// The group that `entry` belongs to. No branch depends on what is grouped by: masks do that.
    @inline(__always)
    func key(of entry: borrowing cnf_entry) -> TopKey {
        let masks = AddressFamily(record: entry.family) == .ipv6 ? ipv6 : ipv4
        let status = EntryStatus(rawValue: entry.status)
        var key = TopKey()
        key.source = AddressWords(entry.original.source) & masks.source
        key.destination = AddressWords(entry.original.destination) & masks.destination

        let number = UInt64(entry.mark) << 32 | UInt64(entry.original.destination_port) << 16 | UInt64(entry.zone)
        let state = TopState(status: status, tcpState: entry.tcp_state)
        var kinds = UInt64(entry.protocol) | UInt64(state.rawValue) << 8 | UInt64(entry.family) << 16
        if status.contains(.assured) { kinds |= TopTraits.assured }
        // The reply comes from where the destination really is, and goes to what the source became.
        if status.contains(.sourceNAT) {
            kinds |= TopTraits.sourceNAT | TopTraits.hasNATSource | UInt64(entry.family) << 32
            key.natSource = AddressWords(entry.reply.destination) & masks.natSource
        }
        if status.contains(.destinationNAT) {
            kinds |= TopTraits.destinationNAT | TopTraits.hasNATDestination | UInt64(entry.family) << 40
            key.natDestination = AddressWords(entry.reply.source) & masks.natDestination
        }
        key.traits = TopTraits(numbers: number & traits.numbers, kinds: kinds & traits.kinds)
        return key
    }
}

extension TopState {
    // An offloaded entry carries no state of its own: the kernel does not follow it.
    @inline(__always)
    fileprivate init(status: EntryStatus, tcpState: UInt8) {
        if !status.isDisjoint(with: [.offload, .hardwareOffload]) {
            self = status.contains(.hardwareOffload) ? .hardwareOffload : .offload
        } else if tcpState != UInt8(CNF_NO_TCP_STATE) {
            self = TopState(rawValue: tcpState)
        } else {
            self = status.contains(.assured) ? .assured : status.contains(.seenReply) ? .seenReply : .unreplied
        }
    }
}

extension TopKey {
    /// An order that is the same in each run, for groups of one size: by address, then by the rest.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        let (one, other) = (left.words, right.words)
        for index in one.indices where one[index] != other[index] {
            // The first eight are of addresses, whose first byte counts most.
            return index < 8
                ? UInt64(bigEndian: one[index]) < UInt64(bigEndian: other[index]) : one[index] < other[index]
        }
        return false
    }

    /// The key as numbers.
    var words: [10 of UInt64] {
        @inline(__always)
        get {
            [
                source.high, source.low, destination.high, destination.low, natSource.high, natSource.low,
                natDestination.high, natDestination.low, traits.numbers, traits.kinds,
            ]
        }
    }

    /// A key from its numbers.
    init(words: [10 of UInt64]) {
        self.init()
        source = AddressWords(high: words[0], low: words[1])
        destination = AddressWords(high: words[2], low: words[3])
        natSource = AddressWords(high: words[4], low: words[5])
        natDestination = AddressWords(high: words[6], low: words[7])
        traits = TopTraits(numbers: words[8], kinds: words[9])
    }
}
