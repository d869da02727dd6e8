// SPDX-License-Identifier: GPL-3.0-or-later

/// Finds the packets and journal entries in a capture: pcapng, or pcap as tcpdump wrote it before, of either byte order.
/// Pure: bytes are handed in; what it says of them is where they are.
struct CaptureReader {
    /// What lies at the beginning of some bytes.
    enum Piece {
        /// A packet without its cooked header; nanoseconds of the wall clock.
        case packet(message: Range<Int>, at: UInt64)
        case journal(Range<Int>)
        /// Something else.
        case other
    }

    /// What became of a look at some bytes.
    enum Step {
        /// A piece, and how many bytes it takes.
        case piece(Piece, length: Int)
        /// There are too few bytes to tell: so many are needed.
        case more(Int)
        /// It is no capture, or damaged here.
        case fault(String)
    }

    private enum Format { case unknown, pcapng, pcap(isNano: Bool) }

    private var format = Format.unknown
    private var isSwapped = false
    /// Link type and units of time a second of each interface.
    private var interfaces: [(link: UInt16, perSecond: UInt64)] = []

    /// Looks at the piece that `bytes` begin with.
    mutating func look(at bytes: UnsafeRawBufferPointer) -> Step {
        switch format {
        case .unknown: begin(bytes)
        case .pcapng: block(bytes)
        case .pcap(let isNano): pcapPacket(bytes, isNano: isNano)
        }
    }

    private mutating func begin(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard bytes.count >= 4 else { return .more(4) }
        let magic = bytes.loadUnaligned(as: UInt32.self)
        if magic == Pcapng.sectionHeader {
            format = .pcapng
            return block(bytes)
        }
        isSwapped = [0xd4c3_b2a1, 0x4d3c_b2a1].contains(magic)
        switch isSwapped ? magic.byteSwapped : magic {
        case 0xa1b2_c3d4: format = .pcap(isNano: false)
        case 0xa1b2_3c4d: format = .pcap(isNano: true)
        default: return .fault("is neither pcapng nor pcap")
        }
        guard bytes.count >= 24 else {
            format = .unknown
            return .more(24)
        }
        let link = number(bytes, 20) & 0xffff
        guard link == UInt32(Pcapng.netlink) else {
            return .fault("its packets are no netlink messages (link type \(link), not 253)")
        }
        return .piece(.other, length: 24)
    }

    // MARK: pcap

    private func pcapPacket(_ bytes: UnsafeRawBufferPointer, isNano: Bool) -> Step {
        guard bytes.count >= 16 else { return .more(16) }
        let length = Int(number(bytes, 8))
        guard length <= Pcapng.longestBlock else { return .fault("a packet of \(length) bytes") }
        guard bytes.count >= 16 + length else { return .more(16 + length) }
        let fraction = UInt64(number(bytes, 4)) * (isNano ? 1 : 1000)
        let time = UInt64(number(bytes, 0)) * 1_000_000_000 + fraction
        return .piece(packet(16, length, at: time), length: 16 + length)
    }

    // MARK: pcapng

    private mutating func block(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard bytes.count >= 12 else { return .more(12) }
        let type = bytes.loadUnaligned(as: UInt32.self)
        // The header of a section says how its numbers are to be read.
        if type == Pcapng.sectionHeader {
            switch bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self) {
            case Pcapng.byteOrder: isSwapped = false
            case Pcapng.byteOrder.byteSwapped: isSwapped = true
            default: return .fault("a section without its byte order")
            }
            interfaces = []
        }
        let total = Int(number(bytes, 4))
        guard total >= 12, total % 4 == 0, total <= Pcapng.longestBlock else {
            return .fault("a block of \(total) bytes")
        }
        guard bytes.count >= total else { return .more(total) }
        guard Int(number(bytes, total - 4)) == total else { return .fault("a block whose two lengths differ") }
        let body = 8..<total - 4
        switch isSwapped ? type.byteSwapped : type {
        case Pcapng.enhancedPacket: return enhanced(bytes, body, total)
        case Pcapng.journalExport: return .piece(.journal(body), length: total)
        case Pcapng.interfaceDescription:
            if let fault = describe(bytes, body) { return .fault(fault) }
            return .piece(.other, length: total)
        default: return .piece(.other, length: total)
        }
    }

    private mutating func describe(_ bytes: UnsafeRawBufferPointer, _ body: Range<Int>) -> String? {
        guard body.count >= 8, interfaces.count < 1024 else { return "an interface that does not hold together" }
        var perSecond: UInt64 = 1_000_000
        var at = body.lowerBound + 8
        while at + 4 <= body.upperBound {
            let (code, length) = (short(bytes, at), Int(short(bytes, at + 2)))
            guard code != 0, at + 4 + length <= body.upperBound else { break }
            if code == 9, length == 1 {
                let resolution = bytes[at + 4]
                let exponent = Int(resolution & 0x7f)
                guard exponent <= (resolution & 0x80 == 0 ? 18 : 62) else { return "an interface of unknown time" }
                let base: UInt64 = resolution & 0x80 == 0 ? 10 : 2
                perSecond = (0..<exponent).reduce(1) { power, _ in power * base }
            }
            at += 4 + Pcapng.padded(length)
        }
        interfaces.append((link: short(bytes, body.lowerBound), perSecond: perSecond))
        return nil
    }

    private func enhanced(_ bytes: UnsafeRawBufferPointer, _ body: Range<Int>, _ total: Int) -> Step {
        guard body.count >= 20 else { return .fault("a packet block of \(total) bytes") }
        let interface = Int(number(bytes, 8))
        guard interfaces.indices.contains(interface) else { return .fault("a packet of no interface") }
        let (link, perSecond) = interfaces[interface]
        guard link == Pcapng.netlink else { return .piece(.other, length: total) }
        let units = UInt64(number(bytes, 12)) << 32 | UInt64(number(bytes, 16))
        let length = Int(number(bytes, 20))
        guard length <= body.count - 20 else { return .fault("a packet longer than its block") }
        let time: UInt64
        if perSecond == 1_000_000_000 {
            time = units
        } else {
            let (whole, rest) = units.quotientAndRemainder(dividingBy: perSecond)
            time = whole &* 1_000_000_000 &+ UInt64(Double(rest) / Double(perSecond) * 1e9)
        }
        return .piece(packet(28, length, at: time), length: total)
    }

    // MARK: Either

    private func packet(_ start: Int, _ length: Int, at time: UInt64) -> Piece {
        let header = Pcapng.cooked.count
        return length < header ? .other : .packet(message: start + header..<start + length, at: time)
    }

    private func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isSwapped ? value.byteSwapped : value
    }

    private func short(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt16 {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        return isSwapped ? value.byteSwapped : value
    }
}
