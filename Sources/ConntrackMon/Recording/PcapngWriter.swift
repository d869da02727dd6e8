// SPDX-License-Identifier: GPL-3.0-or-later

// pcapng as far as a recording has it, written in host byte order.
// Source: draft-ietf-opsawg-pcapng.

/// Numbers of the format.
enum Pcapng {
    static let sectionHeader: UInt32 = 0x0a0d_0d0a
    static let interfaceDescription: UInt32 = 1
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6
    static let journalExport: UInt32 = 9
    static let byteOrder: UInt32 = 0x1a2b_3c4d

    /// LINKTYPE_NETLINK.
    static let netlink: UInt16 = 253
    /// What stands before each message: ARPHRD_NETLINK (824) and NETLINK_NETFILTER (12), both big-endian, 10 bytes of nothing
    /// between them.
    static let cooked: [UInt8] = [0x03, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12]

    /// The longest block that is read: our longest is a doctor's report, tens of kilobytes.
    static let longestBlock = 16 << 20
    /// The longest packet that there can be, for whoever reads: a message is below 2 KiB.
    static let snapLength: UInt32 = 65536

    static func padded(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// Makes blocks, one behind the other, in memory: whoever has it writes them, or keeps a window of them.
package struct PcapngWriter: Sendable {
    /// The blocks so far; only whole ones.
    package private(set) var bytes: [UInt8] = []

    /// Nothing yet, and room for `capacity` bytes.
    package init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Hands the blocks over and begins anew, with the same room.
    package mutating func takeBytes() -> [UInt8] {
        let capacity = bytes.capacity
        let taken = bytes
        bytes = []
        bytes.reserveCapacity(capacity)
        return taken
    }

    /// Forgets the blocks; their room stays.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Section header and the one interface: netlink messages, nanoseconds.
    package mutating func begin() {
        block(Pcapng.sectionHeader) { writer in
            writer.append(Pcapng.byteOrder)
            writer.append(UInt16(1))
            writer.append(UInt16(0))
            writer.append(UInt64.max)  // as long as it is
            writer.option(3, "Linux")  // shb_os
            writer.option(4, "conntrack-mon")  // shb_userappl
            writer.append(UInt32(0))
        }
        block(Pcapng.interfaceDescription) { writer in
            writer.append(Pcapng.netlink)
            writer.append(UInt16(0))
            writer.append(Pcapng.snapLength)
            writer.option(2, "ctnetlink")  // if_name
            writer.append(UInt16(9))  // if_tsresol: 10^-9
            writer.append(UInt16(1))
            writer.append(UInt32(UInt32(9).littleEndian))
            writer.append(UInt32(0))
        }
    }

    /// A netlink message, with the time of the wall clock in nanoseconds.
    package mutating func packet(_ message: UnsafeRawBufferPointer, at nanoseconds: UInt64) {
        let length = Pcapng.cooked.count + message.count
        let total = 32 + Pcapng.padded(length)
        append(Pcapng.enhancedPacket)
        append(UInt32(total))
        append(UInt32(0))
        append(UInt32(truncatingIfNeeded: nanoseconds >> 32))
        append(UInt32(truncatingIfNeeded: nanoseconds))
        append(UInt32(length))
        append(UInt32(length))
        bytes.append(contentsOf: Pcapng.cooked)
        bytes.append(contentsOf: message)
        pad(length)
        append(UInt32(total))
    }

    /// A journal entry: lines of KEY=value.
    package mutating func journal(_ text: String) {
        block(Pcapng.journalExport) { $0.bytes.append(contentsOf: text.utf8) }
    }

    /// How many messages there were, and how many of them were lost, from the beginning.
    package mutating func statistics(received: UInt64, dropped: UInt64, at nanoseconds: UInt64) {
        block(Pcapng.interfaceStatistics) { writer in
            writer.append(UInt32(0))
            writer.append(UInt32(truncatingIfNeeded: nanoseconds >> 32))
            writer.append(UInt32(truncatingIfNeeded: nanoseconds))
            for (code, value) in [(UInt16(4), received), (UInt16(5), dropped)] {  // isb_ifrecv, isb_ifdrop
                writer.append(code)
                writer.append(UInt16(8))
                writer.append(value)
            }
            writer.append(UInt32(0))
        }
    }

    // MARK: Pieces

    private mutating func block(_ type: UInt32, _ body: (inout PcapngWriter) -> Void) {
        let start = bytes.count
        append(type)
        append(UInt32(0))
        body(&self)
        pad(bytes.count - start)
        let total = UInt32(bytes.count - start + 4)
        append(total)
        withUnsafeBytes(of: total) { total in
            for index in 0..<4 { bytes[start + 4 + index] = total[index] }
        }
    }

    private mutating func option(_ code: UInt16, _ text: String) {
        append(code)
        append(UInt16(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        pad(text.utf8.count)
    }

    private mutating func pad(_ length: Int) {
        for _ in length..<Pcapng.padded(length) { bytes.append(0) }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}
