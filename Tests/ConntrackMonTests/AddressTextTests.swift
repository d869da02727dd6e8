// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackMon

/// Addresses as people read them.
@Suite struct AddressTextTests {
    private func bytes(_ family: Int32, _ text: String) throws -> AddressBytes {
        var bytes: AddressBytes = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        try #require(inet_pton(family, text, &bytes) == 1, "\(text)")
        return bytes
    }

    @Test(arguments: ["0.0.0.0", "127.0.0.1", "192.0.2.10", "255.255.255.255"])
    func `IPv4 has dots`(_ text: String) throws {
        #expect(addressText(family: UInt8(AF_INET), try bytes(AF_INET, text)) == text)
    }

    // RFC 5952, sections 2 and 4.
    @Test(arguments: [
        ("2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("fe80:0:0:0:0:0:0:0", "fe80::"),
        ("0:0:0:0:0:FFFF:C000:0201", "::ffff:192.0.2.1"),
    ])
    func `IPv6 is as RFC 5952 has it`(_ long: String, _ text: String) throws {
        #expect(addressText(family: UInt8(AF_INET6), try bytes(AF_INET6, long)) == text)
    }

    @Test func `a port follows IPv6 in brackets`() throws {
        #expect(addressText(family: UInt8(AF_INET), try bytes(AF_INET, "192.0.2.1"), port: 53) == "192.0.2.1:53")
        #expect(addressText(family: UInt8(AF_INET6), try bytes(AF_INET6, "2001:db8::1"), port: 0) == "[2001:db8::1]:0")
    }

    @Test func `an unknown family is told by its number`() throws {
        #expect(addressText(family: 7, try bytes(AF_INET6, "::")) == "(address of family 7)")
    }

    @Test(arguments: [
        (0, "::"), (1, "8000::"), (8, "ff00::"), (20, "ffff:f000::"), (64, "ffff:ffff:ffff:ffff::"),
        (127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), (128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        (200, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), (-1, "::"),
    ])
    func `a prefix keeps its bits and no other`(_ length: Int, _ text: String) throws {
        let all = try bytes(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
        #expect(addressText(family: UInt8(AF_INET6), addressPrefix(all, length: length)) == text)
    }
}
