// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit

/// What the decoder of dumped entries made of some bytes.
struct DecodedEntry {
    let result: Int32
    let entry: cnf_entry

    /// Decodes a copy that ends right before a forbidden page: a byte read too far ends the test run.
    init(_ bytes: [UInt8]) {
        var entry = cnf_entry()
        // Whatever the decoder does not set would otherwise look right by being zero.
        withUnsafeMutableBytes(of: &entry) { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xa5) }
        let copy = ctk_guarded_copy(bytes, bytes.count)
        defer { ctk_guarded_free(copy, bytes.count) }
        result = copy.map { cnf_decode_entry($0, bytes.count, &entry) } ?? -ENOMEM
        self.entry = entry
    }

    /// The tuples, their addresses as long as the family says; nil for an unknown family.
    var original: FlowTuple? { tuple(entry.original) }
    var reply: FlowTuple? { tuple(entry.reply) }

    /// Whether an address is another one in the reply.
    var isTranslated: Bool {
        original?.source != reply?.destination || original?.destination != reply?.source
    }

    private func tuple(_ tuple: cnf_tuple) -> FlowTuple? {
        guard let family = Family.allCases.first(where: { $0.number == entry.family }) else { return nil }
        func bytes(_ address: some Any) -> [UInt8] {
            withUnsafeBytes(of: address) { Array($0.prefix(family.addressSize)) }
        }
        return FlowTuple(
            family: family, protocol: entry.protocol, source: bytes(tuple.source),
            destination: bytes(tuple.destination), sourcePort: tuple.source_port,
            destinationPort: tuple.destination_port)
    }
}

extension FlowTuple {
    /// The other direction where nothing is translated.
    var turned: FlowTuple {
        var turned = self
        swap(&turned.source, &turned.destination)
        swap(&turned.sourcePort, &turned.destinationPort)
        return turned
    }
}
