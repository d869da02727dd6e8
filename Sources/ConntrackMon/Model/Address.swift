// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// An address as event records and netlink attributes hold it: network byte order, IPv4 in the first four bytes.
public typealias AddressBytes = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)

/// An address as conntrack(8) prints it, since it asks the same inet_ntop(3): IPv4 with dots, IPv6 as RFC 5952 has it.
/// `family` is AF_INET or AF_INET6; the kernel tracks no other, and of one the number is told.
public func addressText(family: UInt8, _ bytes: AddressBytes) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        let written = withUnsafeBytes(of: bytes) { bytes in
            inet_ntop(Int32(family), bytes.baseAddress, text.baseAddress, socklen_t(text.count))
        }
        return written.map { String(cString: $0) } ?? "(address of family \(family))"
    }
}

/// An address and a port: "192.0.2.1:53", "[2001:db8::1]:53".
public func addressText(family: UInt8, _ bytes: AddressBytes, port: UInt16) -> String {
    let address = addressText(family: family, bytes)
    return Int32(family) == AF_INET6 ? "[\(address)]:\(port)" : "\(address):\(port)"
}

/// `bytes` with everything behind the first `length` bits zero: the prefix they lie in.
public func addressPrefix(_ bytes: AddressBytes, length: Int) -> AddressBytes {
    var bytes = bytes
    withUnsafeMutableBytes(of: &bytes) { bytes in
        for index in bytes.indices {
            let left = max(0, min(8, length - index * 8))
            bytes[index] &= UInt8(truncatingIfNeeded: 0xff00 >> left)
        }
    }
    return bytes
}
