// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// A group's key as people and programs read it.

extension Flow.Port {
    /// As conntrack(8) words it, without a blank.
    var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .icmp(let type, let code): "type=\(type),code=\(code)"
        case .identifier(let number): "id=\(number)"
        case .key(let number): "dstkey=0x\(String(number, radix: 16))"
        case .none: "-"
        }
    }
}

extension TopKey {
    /// What is translated.
    fileprivate var natKind: String {
        switch (has(TopTraits.sourceNAT), has(TopTraits.destinationNAT)) {
        case (false, false): "none"
        case (true, false): "source"
        case (false, true): "destination"
        case (true, true): "both"
        }
    }
}

extension TopGrouping {
    /// A field of a key, for people: a word without a blank.
    func word(_ field: TopField, of key: TopKey) -> String {
        switch field {
        case .source: text(of: key.source, in: key)
        case .destination: text(of: key.destination, in: key)
        case .port: "\(key.port.text)/\(key.protocol.name)"
        case .state: key.state.name
        case .protocol: key.protocol.name
        case .zone: "\(key.zone)"
        case .mark: "\(key.mark)"
        case .assured: key.has(TopTraits.assured) ? "yes" : "no"
        case .nat: key.natKind
        case .natSource: key.has(TopTraits.hasNATSource) ? text(of: key.natSource, in: key) : "-"
        case .natDestination: key.has(TopTraits.hasNATDestination) ? text(of: key.natDestination, in: key) : "-"
        }
    }

    /// An address, with the prefix's length where it is less than a whole one.
    private func text(of words: AddressWords, in key: TopKey) -> String {
        AddressPrefix(Address(key.family, words), length: prefix(key.family)).text
    }
}
