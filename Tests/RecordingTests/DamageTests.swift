// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackRecording

/// A file that is cut or damaged is read as far as it goes.
@Suite struct DamageTests {
    @Test func `a file cut at any byte gives what stands before`() {
        let whole = exampleRecording().bytes
        let all = items(of: whole)
        var reached = 0
        for length in 1..<whole.count {
            let (items, fault, offset) = items(of: Array(whole[..<length]))
            // Between two blocks nothing shows.
            #expect(fault == "cut" || (fault == nil && offset == length), "\(length): \(fault ?? "")")
            #expect(offset <= length)
            #expect(items.count >= reached && items.count <= all.items.count)
            reached = items.count
        }
        #expect(all.fault == nil)
        #expect(reached == all.items.count - 1)
    }

    @Test func `whatever its bytes are, it is read or refused`() {
        let whole = exampleRecording().bytes
        var random = SplitMix(state: 3)
        var refused = 0
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let (_, fault, offset) = items(of: bytes)
            #expect(offset <= bytes.count)
            if fault != nil { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test func `what is no capture is refused`() {
        #expect(items(of: Array("not a capture at all".utf8)).fault == "is neither pcapng nor pcap")
    }

    @Test(arguments: [false, true], [false, true])
    func `pcap is read in either byte order, of micro- and nanoseconds`(_ isSwapped: Bool, _ isNano: Bool) {
        func four(_ value: UInt32) -> [UInt8] {
            withUnsafeBytes(of: isSwapped ? value.byteSwapped : value) { Array($0) }
        }
        let packet = Pcapng.cooked + newEntryMessage
        var bytes = four(isNano ? 0xa1b2_3c4d : 0xa1b2_c3d4) + four(0x0004_0002) + four(0) + four(0) + four(65536)
        bytes += four(253) + four(7) + four(5) + four(UInt32(packet.count)) + four(UInt32(packet.count)) + packet
        var reader = RecordingReader()
        let (found, fault, _) = items(of: bytes, &reader)
        let times = found.compactMap { item in if case .record(let record) = item { record.event.time_ns } else { nil }
        }

        #expect(fault == nil)
        #expect(times == [7_000_000_000 + (isNano ? 5 : 5000)])
        #expect(!reader.isRecording)
    }
}
