// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Addresses as people read and write them.
@Suite struct AddressTextTests {
    @Test(arguments: ["0.0.0.0", "127.0.0.1", "192.0.2.10", "255.255.255.255"])
    func `IPv4 has dots`(_ text: String) throws {
        let address = try #require(Address(text))
        #expect(address.family == .ipv4)
        #expect(address.text == text)
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
        let address = try #require(Address(long))
        #expect(address.family == .ipv6)
        #expect(address.text == text)
    }

    @Test(arguments: [
        "", "192.0.2", "192.0.2.256", "192.0.2.1 ", "0300.0.2.1", "192.0.2.1/24", "192.0.2.1\0", "2001:db8",
        "fe80::1%eth0",
        "::1\0x", "localhost", ":", "١٩٢.0.2.1",
    ])
    func `what is no address is none`(_ text: String) {
        #expect(Address(text) == nil)
    }

    @Test func `bytes lie as records hold them`() throws {
        let bytes: AddressBytes = (192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        #expect(AddressWords(bytes) == (try #require(Address("192.0.2.1"))).words)
        #expect(Address(.ipv6, AddressWords(bytes)).text == "c000:201::")
    }

    @Test func `a port follows IPv6 in brackets`() {
        #expect(Address.of("192.0.2.1").text(port: 53) == "192.0.2.1:53")
        #expect(Address.of("2001:db8::1").text(port: 0) == "[2001:db8::1]:0")
    }

    @Test(arguments: [
        (0, "::/0"), (1, "8000::/1"), (8, "ff00::/8"), (20, "ffff:f000::/20"), (64, "ffff:ffff:ffff:ffff::/64"),
        (65, "ffff:ffff:ffff:ffff:8000::/65"), (127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"),
        (128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), (200, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        (-1, "::/0"),
    ])
    func `a prefix keeps its bits and no other`(_ length: Int, _ text: String) {
        #expect(AddressPrefix(.of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), length: length).text == text)
    }

    @Test(arguments: [
        ("192.0.2.7/24", "192.0.2.0/24"), ("192.0.2.7/32", "192.0.2.7"), ("192.0.2.7", "192.0.2.7"),
        ("0.0.0.0/0", "0.0.0.0/0"), ("2001:db8::9/32", "2001:db8::/32"), ("2001:db8::9", "2001:db8::9"),
        ("::/0", "::/0"),
    ])
    func `a prefix is read as it is written`(_ written: String, _ text: String) throws {
        #expect(try #require(AddressPrefix(written)).text == text)
    }

    @Test(arguments: [
        "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/8/8", "192.0.2.0/ 8",
        "2001:db8::/129", "2001:db8::/0x20", "192.0.2.0/99999999999999999999",
    ])
    func `what is no prefix is none`(_ text: String) {
        #expect(AddressPrefix(text) == nil)
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("0.0.0.0/0", "10.0.0.1", true),
        ("0.0.0.0/0", "::", false), ("::/0", "10.0.0.1", false), ("2001:db8::/65", "2001:db8:0:0:7fff::", true),
        ("2001:db8::/65", "2001:db8:0:0:8000::", false), ("192.0.2.1", "192.0.2.1", true),
    ])
    func `a prefix contains what has its bits, in its family`(_ prefix: String, _ address: String, _ isInside: Bool)
        throws
    {
        #expect(try #require(AddressPrefix(prefix)).contains(.of(address)) == isInside)
    }
}
