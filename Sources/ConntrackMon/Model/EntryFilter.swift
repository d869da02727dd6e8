// SPDX-License-Identifier: GPL-3.0-or-later

/// Which entries are wanted: those for which all that is given holds. conntrack(8) has the same names for it.
public struct EntryFilter: Equatable, Sendable {
    /// IPv4 or IPv6.
    public var family: AddressFamily?
    /// One of these.
    public var protocols: [IPProtocol]?
    /// Where the original direction comes from.
    public var source: AddressPrefix?
    /// Where the original direction goes to, before any translation.
    public var destination: AddressPrefix?
    /// Where the reply comes from.
    public var replySource: AddressPrefix?
    /// Where the reply goes to.
    public var replyDestination: AddressPrefix?
    /// Of the original direction.
    public var sourcePort: UInt16?
    /// Of the original direction.
    public var destinationPort: UInt16?
    /// Of the reply.
    public var replySourcePort: UInt16?
    /// Of the reply.
    public var replyDestinationPort: UInt16?
    /// TCP's.
    public var state: TCPState?
    /// Bits that must and must not be set.
    public var status: StatusMask?
    /// Of the original direction.
    public var zone: UInt16?
    /// The mark, as far as the mask goes.
    public var mark: MaskedMark?
    /// The source is translated.
    public var hasSourceNAT = false
    /// The destination is translated.
    public var hasDestinationNAT = false
    /// Either is.
    public var hasAnyNAT = false

    /// Every entry.
    public init() {}

    /// Whether every entry is wanted.
    public var isEmpty: Bool { self == EntryFilter() }
}

/// Bits of an entry's status that must and must not be set.
public struct StatusMask: Equatable, Sendable {
    /// All of these are.
    public var set: EntryStatus
    /// None of these is.
    public var clear: EntryStatus

    /// Both.
    public init(set: EntryStatus = [], clear: EntryStatus = []) {
        self.set = set
        self.clear = clear
    }
}

/// A mark and the bits of it that count.
public struct MaskedMark: Equatable, Sendable {
    /// What these bits are.
    public var value: UInt32
    /// Which bits.
    public var mask: UInt32

    /// `mask`: all of them where it is not given.
    public init(value: UInt32, mask: UInt32 = .max) {
        self.value = value
        self.mask = mask
    }
}

// MARK: What nothing can match

extension EntryFilter {
    /// What of it excludes what: the options by their names, and why; nil where something may match.
    package var contradiction: (options: [String], reason: String)? {
        portContradiction ?? stateContradiction ?? familyContradiction ?? bitContradiction
    }

    private var portContradiction: (options: [String], reason: String)? {
        guard let protocols, !protocols.contains(where: \.hasPorts) else { return nil }
        let ports = [
            ("sport", sourcePort), ("dport", destinationPort), ("reply-port-src", replySourcePort),
            ("reply-port-dst", replyDestinationPort),
        ]
        guard let given = ports.first(where: { $0.1 != nil }) else { return nil }
        return ([given.0, "proto"], "\(protocols.map(\.name).joined(separator: ", ")) has no ports")
    }

    private var stateContradiction: (options: [String], reason: String)? {
        guard state != nil, protocols?.contains(.tcp) != true else { return nil }
        return (["state"], "states are of TCP only; write --proto tcp with it")
    }

    /// What says a family, by its option.
    private var families: [(option: String, family: AddressFamily)] {
        var families: [(option: String, family: AddressFamily)] = []
        if let family { families.append(("family", family)) }
        if protocols == [.icmp] { families.append(("proto", .ipv4)) }
        if protocols == [.icmpv6] { families.append(("proto", .ipv6)) }
        if let source { families.append(("orig-src", source.address.family)) }
        if let destination { families.append(("orig-dst", destination.address.family)) }
        if let replySource { families.append(("reply-src", replySource.address.family)) }
        if let replyDestination { families.append(("reply-dst", replyDestination.address.family)) }
        return families
    }

    /// Both directions of an entry are of one family.
    private var familyContradiction: (options: [String], reason: String)? {
        let families = families
        guard let first = families.first, let other = families.first(where: { $0.family != first.family }) else {
            return nil
        }
        let name = { (family: AddressFamily) in family == .ipv6 ? "IPv6" : "IPv4" }
        return (
            [first.option, other.option], "an entry is not \(name(first.family)) and \(name(other.family)) at once"
        )
    }

    private var bitContradiction: (options: [String], reason: String)? {
        if let status, let both = status.set.intersection(status.clear).names.first {
            return (["status"], "no entry is \(both) and is not")
        }
        if let mark, mark.value & ~mark.mask != 0 { return (["mark"], "the value has bits that the mask leaves out") }
        return nil
    }
}
