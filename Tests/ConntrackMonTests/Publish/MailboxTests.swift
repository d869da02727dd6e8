// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What waits for a sink: bounded, in order, and whatever gives way is counted.
@Suite struct MailboxTests {
    private func isRinging(_ mailbox: Mailbox<String>) -> Bool {
        var poller = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }

    /// What an item is about: its first letter.
    private static let subject: @Sendable (String) -> String = { String($0.prefix(1)) }

    @Test func `what is put comes out in its order, once`() throws {
        let mailbox = try Mailbox<String>(capacity: 4, givingWay: .newest)
        mailbox.put(["a", "b"])
        mailbox.put("c")

        #expect(mailbox.takeFirst() == "a")
        #expect(mailbox.takeAll() == ["b", "c"])
        #expect(mailbox.isEmpty)
        #expect(mailbox.takeFirst() == nil)
        #expect(mailbox.takeAll() == [])
        #expect(mailbox.lost == 0)
    }

    @Test(arguments: [
        (Mailbox<String>.GivingWay.newest, ["a1", "b1", "a2"]),
        (.oldest, ["a2", "b2", "c1"]),
        (.oldestAlike(subject), ["a2", "b2", "c1"]),
    ])
    func `when it is full one gives way for each that came too many`(
        _ way: Mailbox<String>.GivingWay, _ left: [String]
    ) throws {
        let mailbox = try Mailbox<String>(capacity: 3, givingWay: way)
        mailbox.put(["a1", "b1", "a2", "b2", "c1"])

        #expect(mailbox.takeAll() == left)
        #expect(mailbox.lost == 2)
    }

    @Test func `the oldest about the same thing gives way, and without one the oldest`() throws {
        let mailbox = try Mailbox<String>(capacity: 3, givingWay: .oldestAlike(Self.subject))
        mailbox.put(["a1", "b1", "b2", "b3"])
        #expect(mailbox.takeAll() == ["a1", "b2", "b3"])
        mailbox.put(["a1", "b1", "b2", "c1"])

        #expect(mailbox.takeAll() == ["b1", "b2", "c1"])
        #expect(mailbox.lost == 2)
    }

    @Test func `where only the newest of each key counts it takes the older one's place, and nothing is lost`() throws {
        let mailbox = try Mailbox<String>(capacity: 3, givingWay: .alike(Self.subject))
        mailbox.put(["a1", "b1", "a2", "c1", "a3", "c2"])

        #expect(mailbox.takeAll() == ["a3", "b1", "c2"])
        #expect(mailbox.lost == 0)
    }

    @Test func `the count of what was lost never goes back`() throws {
        let mailbox = try Mailbox<String>(capacity: 1, givingWay: .newest)
        var seen: [UInt64] = []
        for _ in 0..<3 {
            mailbox.put(["a", "b"])
            seen.append(mailbox.lost)
            _ = mailbox.takeAll()
            seen.append(mailbox.lost)
        }

        #expect(seen == [1, 1, 2, 2, 3, 3])
    }

    @Test func `it rings from a put or its end until it is silenced`() throws {
        let mailbox = try Mailbox<String>(capacity: 1, givingWay: .newest)
        #expect(!isRinging(mailbox))
        mailbox.put("a")
        #expect(isRinging(mailbox))
        mailbox.silence()
        #expect(!isRinging(mailbox))
        #expect(!mailbox.isClosed)
        mailbox.close()

        #expect(isRinging(mailbox))
        #expect(mailbox.isClosed)
        #expect(mailbox.takeAll() == ["a"])
    }
}
