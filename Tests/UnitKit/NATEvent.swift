// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
internal import ConntrackModel
internal import Glibc

extension cnf_event {
    /// The source of an entry is translated: it comes, or goes, at `seconds`. `kept`: NAT left the port as it was.
    package static func translated(
        _ kind: cnf_kind = CNF_NEW, as address: String = "192.0.2.1", to remote: String = "198.51.100.7",
        port: UInt16 = 443, protocol: Int = IPPROTO_TCP, natPort: UInt16 = 40_000, kept: Bool = true, zone: UInt16 = 0,
        at seconds: Double = 0
    ) -> cnf_event {
        var event = cnf_event.new("10.0.0.1", remote, port, protocol: `protocol`, at: seconds)
        event.kind = UInt8(kind.rawValue)
        event.status = 1 << 4
        event.source_port = kept ? natPort : natPort ^ 0x4000
        let nat = cnf_nat(port: port, nat_port: natPort, zone: zone, reserved: 0)
        withUnsafeMutableBytes(of: &event.source) { bytes in
            for (place, text) in [(CNF_NAT_ADDRESS, address), (CNF_NAT_REMOTE, remote)] {
                var words = in_addr()
                inet_pton(AF_INET, text, &words)
                bytes.storeBytes(of: words.s_addr, toByteOffset: Int(place), as: UInt32.self)
            }
        }
        withUnsafeMutableBytes(of: &event.destination) {
            $0.storeBytes(of: nat, toByteOffset: Int(CNF_NAT_PORTS), as: cnf_nat.self)
        }
        return event
    }
}
