// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// The decoder takes what comes as the kernel writes it faster than the rest; it must read both alike.
@Suite struct OrderTests {
    /// Real messages, and one with every attribute that the decoder knows.
    private static func messages() throws -> [(name: String, bytes: [UInt8])] {
        let folder = "\(Repository.root)/Fuzz/corpus"
        let real = try names(in: folder).sorted().filter { $0.hasPrefix("real-") }
            .map { ($0, try readBytes("\(folder)/\($0)")) }
        #expect(real.count >= 20)
        return real + [("full", Sample.full.bytes)]
    }

    @Test func `the order of the attributes does not matter`() throws {
        for (name, bytes) in try Self.messages() {
            let expected = Decoded(bytes)
            let attributes = Attributes.split(bytes.dropFirst(Sample.headers))
            #expect(expected.result == 1 && attributes.count > 3, "\(name)")
            for first in attributes.indices {
                let turned = Array(attributes[first...] + attributes[..<first])
                for order in [turned, turned.reversed()] {
                    let decoded = Decoded(Array(bytes.prefix(Sample.headers) + order.joined()))
                    #expect(decoded.result == 1 && decoded.event.bytes == expected.event.bytes, "\(name) from \(first)")
                }
            }
        }
    }

    @Test func `the flag of a nest does not matter`() throws {
        for (name, bytes) in try Self.messages() {
            let expected = Decoded(bytes)
            let plain = Attributes.unflagged(bytes.dropFirst(Sample.headers))
            let decoded = Decoded(Array(bytes.prefix(Sample.headers)) + plain)
            #expect(plain != Array(bytes.dropFirst(Sample.headers)), "\(name)")
            #expect(decoded.result == 1 && decoded.event.bytes == expected.event.bytes, "\(name)")
        }
    }

    @Test func `an unknown attribute before the others changes nothing, whatever they are`() throws {
        for (name, whole) in try Self.messages() {
            var differing: [String] = []
            for index in whole.indices.dropFirst(Sample.headers) {
                for value: UInt8 in [0, 4, 5, 8, 0x34, 0xff] {
                    var bytes = whole
                    bytes[index] = value
                    let decoded = Decoded(bytes)
                    let walked = Decoded(Attributes.preceded(bytes))
                    if walked.result != decoded.result
                        || (decoded.result == 1 && walked.event.bytes != decoded.event.bytes)
                    {
                        differing.append("byte \(index) = \(value)")
                    }
                }
            }
            #expect(differing.isEmpty, "\(name)")
        }
    }
}

extension cnf_event {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self, Array.init) }
}

/// Attributes as bytes: a length of two bytes, a type of two, a payload, padding to four.
private enum Attributes {
    static func split(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var rest = bytes
        var result: [ArraySlice<UInt8>] = []
        while rest.count >= 4 {
            let length = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            result.append(rest.prefix((max(length, 4) + 3) / 4 * 4))
            rest = rest.dropFirst((max(length, 4) + 3) / 4 * 4)
        }
        return result
    }

    /// The same without NLA_F_NESTED, at all depths.
    static func unflagged(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        split(bytes).flatMap { attribute in
            var header = Array(attribute.prefix(4))
            guard header[3] & 0x80 != 0 else { return Array(attribute) }
            header[3] &= 0x7f
            return header + unflagged(attribute.dropFirst(4))
        }
    }

    /// The message with an attribute of no known type, and without payload, as its first.
    static func preceded(_ message: [UInt8]) -> [UInt8] {
        var result = message.prefix(Sample.headers) + [4, 0, 0xff, 0x3f] + message.dropFirst(Sample.headers)
        withUnsafeBytes(of: UInt32(result.count)) { result.replaceSubrange(0..<4, with: $0) }
        return Array(result)
    }
}
