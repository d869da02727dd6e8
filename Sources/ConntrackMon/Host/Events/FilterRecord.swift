// SPDX-License-Identifier: GPL-3.0-or-later

package import CNetfilter
package import ConntrackModel

extension cnf_filter {
    /// As C compares it.
    package init(_ filter: EntryFilter) {
        self.init()
        family = filter.family?.rawValue ?? 0
        source = cnf_prefix(filter.source)
        destination = cnf_prefix(filter.destination)
        reply_source = cnf_prefix(filter.replySource)
        reply_destination = cnf_prefix(filter.replyDestination)
        status_set = filter.status?.set.rawValue ?? 0
        status_clear = filter.status?.clear.rawValue ?? 0
        mark = filter.mark?.value ?? 0
        mark_mask = filter.mark?.mask ?? 0
        take(filter.protocols)
        take(CNF_BY_SOURCE_PORT, filter.sourcePort, to: \.ports.0)
        take(CNF_BY_DESTINATION_PORT, filter.destinationPort, to: \.ports.1)
        take(CNF_BY_REPLY_SOURCE_PORT, filter.replySourcePort, to: \.ports.2)
        take(CNF_BY_REPLY_DESTINATION_PORT, filter.replyDestinationPort, to: \.ports.3)
        take(CNF_BY_TCP_STATE, filter.state?.rawValue, to: \.tcp_state)
        take(CNF_BY_ZONE, filter.zone, to: \.zone)
        if filter.hasSourceNAT { given |= CNF_BY_SOURCE_NAT.rawValue }
        if filter.hasDestinationNAT { given |= CNF_BY_DESTINATION_NAT.rawValue }
        if filter.hasAnyNAT { given |= CNF_BY_ANY_NAT.rawValue }
    }

    private mutating func take<Value>(
        _ bit: cnf_filter_bit, _ value: Value?, to place: WritableKeyPath<cnf_filter, Value>
    ) {
        guard let value else { return }
        given |= bit.rawValue
        self[keyPath: place] = value
    }

    private mutating func take(_ numbers: [IPProtocol]?) {
        guard let numbers else { return }
        given |= CNF_BY_PROTOCOL.rawValue
        withUnsafeMutableBytes(of: &protocols) { bytes in
            let words = bytes.bindMemory(to: UInt32.self)
            for number in numbers { words[Int(number.rawValue) / 32] |= 1 << UInt32(number.rawValue % 32) }
        }
    }
}

extension cnf_prefix {
    fileprivate init(_ prefix: AddressPrefix?) {
        self.init()
        guard let prefix else { return }
        family = prefix.address.family.rawValue
        let mask = AddressWords.mask(prefix: prefix.length)
        withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: prefix.address.words.high, as: UInt64.self) }
        withUnsafeMutableBytes(of: &address) {
            $0.storeBytes(of: prefix.address.words.low, toByteOffset: 8, as: UInt64.self)
        }
        withUnsafeMutableBytes(of: &self.mask) { $0.storeBytes(of: mask.high, as: UInt64.self) }
        withUnsafeMutableBytes(of: &self.mask) { $0.storeBytes(of: mask.low, toByteOffset: 8, as: UInt64.self) }
    }
}
