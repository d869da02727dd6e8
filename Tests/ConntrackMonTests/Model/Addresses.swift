// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

extension Address {
    /// An address of a test's; a wrong one is ::.
    static func of(_ text: String) -> Address {
        Address(text) ?? Address(.ipv6, AddressWords())
    }
}

extension Talker {
    /// A source: an IPv6 address counts as its /64.
    static func source(_ address: String, atLeast: UInt64, atMost: UInt64) -> Talker {
        let address = Address.of(address)
        let prefix = AddressPrefix(address, length: address.family == .ipv6 ? 64 : 32)
        return Talker(Flow.Endpoint(prefix), atLeast: atLeast, atMost: atMost)
    }

    /// A destination; `port` counts where the protocol has ports.
    static func destination(
        _ address: String, _ port: UInt16, protocol: UInt8, atLeast: UInt64, atMost: UInt64
    ) -> Talker {
        let number = IPProtocol(rawValue: `protocol`)
        let endpoint = Flow.Endpoint(
            AddressPrefix(.of(address)), protocol: number, port: number.hasPorts ? port : nil)
        return Talker(endpoint, atLeast: atLeast, atMost: atMost)
    }
}
