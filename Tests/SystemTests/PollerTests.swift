// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackSystem

@Suite struct PollerTests {
    @Test func `what is ready is known by its place, and the rest is not ready`() throws {
        let first = try EventDescriptor()
        let second = try EventDescriptor()
        var poller = Poller()
        poller.watch(0, first.descriptor)
        poller.watch(3, second.descriptor)
        second.ring()
        poller.wait(nil)
        let ready = (0..<Poller.capacity).filter { poller.isReady($0) }

        #expect(ready == [3])
    }

    @Test func `what was ready at the last wait is not at this one`() throws {
        let bell = try EventDescriptor()
        var poller = Poller()
        poller.watch(1, bell.descriptor)
        bell.ring()
        poller.wait(nil)
        let rang = poller.isReady(1)
        bell.silence()
        poller.wait(0)
        let ringsOn = poller.isReady(1)

        #expect(rang)
        #expect(!ringsOn)
    }

    @Test func `a place can be given to another descriptor, or to none`() throws {
        let rung = try EventDescriptor()
        let silent = try EventDescriptor()
        rung.ring()
        var poller = Poller()
        var found: [Bool] = []
        for descriptor in [rung.descriptor, silent.descriptor, -1, rung.descriptor] {
            poller.watch(0, descriptor)
            poller.wait(0)
            found.append(poller.isReady(0))
        }

        #expect(found == [true, false, false, true])
    }

    @Test func `room to write is waited for in a pipe until somebody reads`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        defer { for end in ends { close(end) } }
        let hasRoom = Poller.wait(for: .writing, of: ends[1], 0)
        var bytes = [UInt8](repeating: 0, count: 65536)
        while write(ends[1], bytes, bytes.count) > 0 {}
        let isFull = !Poller.wait(for: .writing, of: ends[1], 1_000_000)
        while read(ends[0], &bytes, bytes.count) > 0 {}
        let hasRoomAgain = Poller.wait(for: .writing, of: ends[1], nil)

        #expect(hasRoom)
        #expect(isFull)
        #expect(hasRoomAgain)
    }

    @Test func `the other end's going away ends a wait`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        close(ends[1])

        #expect(Poller.wait(for: .reading, of: ends[0], nil))
    }

    @Test func `a wait without a descriptor is a pause`() {
        var poller = Poller()
        poller.wait(1)
        let ready = poller.isReady(0)

        #expect(!ready)
    }
}
