// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackRing

/// Messages on their way beside the ring.
@Suite struct MessageRoadTests {
    @Test func `each comes out as it went in, and those without room are missing`() {
        let road = MessageRoad(capacity: 4096)
        var isMissing: [Bool] = []
        for round in 0..<200 {
            let lengths = (0..<(round % 17 + 1)).map { 1 + (round * 31 + $0 * 97) % 900 }
            for length in lengths { put(road, length: length) }
            for length in lengths {
                road.take { message in
                    isMissing.append(message == nil)
                    if let message {
                        #expect(message.count == length && message.allSatisfy { $0 == UInt8(length & 255) })
                    }
                }
            }
        }
        #expect(isMissing.contains(true))
        #expect(isMissing.contains(false))
        // An empty road has room for the first of a round again.
        put(road, length: 100)
        road.take { #expect($0?.count == 100) }
    }

    private func put(_ road: MessageRoad, length: Int) {
        let bytes = [UInt8](repeating: UInt8(length & 255), count: length)
        bytes.withUnsafeBytes { if let start = $0.baseAddress { road.put(start, length: length) } }
    }
}
