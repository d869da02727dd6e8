// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

@Suite struct NATPortSketchTests {
    private func key(_ number: Int) -> NATKey {
        NATKey(addresses: 0xc000_0201 | UInt64(number) << 32, rest: 443 | 6 << 16)
    }

    private func sketch(seed: UInt64 = 7) -> NATPortSketch {
        var random = SplitMix(state: seed)
        var sketch = NATPortSketch(seed: HashSeed(from: &random))
        sketch.clear()
        return sketch
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a count is never too low, and too high by no more than the bound says`(_ seed: UInt64) {
        var sketch = sketch(seed: seed)
        var random = SplitMix(state: seed &+ 100)
        var counts = [Int32](repeating: 0, count: 20_000)
        var alive: [Int] = []
        // Twice as many come as live in the end, a few keys have many.
        for _ in 0..<120_000 {
            let number = Int(random.next() % 8 == 0 ? random.next() % 4 : random.next() % 20_000)
            counts[number] += 1
            alive.append(number)
            _ = sketch.add(1, hash: sketch.hash(key(number)))
            if alive.count > 60_000 {
                let gone = alive.remove(swappingAt: Int(random.next() % 60_000))
                counts[gone] -= 1
                _ = sketch.add(-1, hash: sketch.hash(key(gone)))
            }
        }
        let bound = Int32(2.718281828 * Double(alive.count) / Double(NATPortSketch.width))
        var (beyond, tooLow) = (0, 0)
        for number in counts.indices {
            let count = sketch.count(hash: sketch.hash(key(number)))
            if count < counts[number] { tooLow += 1 }
            if count > counts[number] + bound { beyond += 1 }
        }

        #expect(tooLow == 0)
        #expect(bound == 9)
        // e^-4 = 1.8 %
        #expect(Double(beyond) <= 0.0183 * Double(counts.count), "\(beyond)")
    }

    @Test func `what was added and subtracted has left nothing behind, in whatever order`() {
        var sketch = sketch()
        for number in 0..<30_000 { _ = sketch.add(number % 2 == 0 ? 1 : -1, hash: sketch.hash(key(number))) }
        for number in (0..<30_000).reversed() {
            _ = sketch.add(number % 2 == 0 ? -1 : 1, hash: sketch.hash(key(number)))
        }

        var left = 0
        for number in 0..<40_000 where sketch.count(hash: sketch.hash(key(number))) != 0 { left += 1 }
        #expect(left == 0)
    }

    @Test func `half of what came since is kept`() {
        var before = sketch()
        var sketch = sketch()
        let hash = sketch.hash(key(1))
        _ = sketch.add(500, hash: hash)
        before.copy(sketch)
        let then = before.count(hash: hash)
        #expect(then == 500)
        _ = sketch.add(100, hash: hash)
        sketch.keepHalf(since: before)
        let kept = sketch.count(hash: hash)
        #expect(kept == 50)
    }

    @Test func `its size is what is written of it`() {
        let size = sketch().byteCount
        #expect(size == 256 * 1024)
    }
}

extension [Int] {
    /// Takes one out; the last one takes its place.
    fileprivate mutating func remove(swappingAt index: Int) -> Int {
        swapAt(index, count - 1)
        return removeLast()
    }
}
