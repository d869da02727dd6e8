// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackSystem

/// What is asked of threads that may hang. A thread each, since that it does not hold up who asks is what is tested.
@Suite struct InquiryTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func later(_ seconds: Double) -> MonotonicTime { Moment.now().monotonic + .seconds(seconds) }

    /// Rings, within a deadline, and is silenced.
    private func rings(_ bell: borrowing EventDescriptor) -> Bool {
        var poller = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        let isRung = poll(&poller, 1, 20_000) == 1
        bell.silence()
        return isRung
    }

    @Test func `what is asked is answered in its order, with the moment at which it was begun`() throws {
        let bell = try EventDescriptor()
        let facts = try Inquiry(.facts, bell: bell.descriptor) { want in
            want == .origin ? nil : .configuration(ConfiguredSettings(limit: nil))
        }
        let before = Moment.now().monotonic
        facts.ask(.origin)
        facts.ask(.configuration)
        #expect(facts.takeAnswers().isEmpty)
        try facts.start()
        let isRung = rings(bell)
        let answers = facts.takeAnswers()

        #expect(isRung)
        #expect(answers.count == 1)
        #expect(answers.allSatisfy { $0.begun.monotonic >= before })
        #expect(facts.stuck(now: later(600)) == nil)
    }

    @Test func `a reading that hangs is said while it hangs, and what was asked meanwhile is answered then`() throws {
        let fifo = directory.path(of: "fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
        let bell = try EventDescriptor()
        let facts = try Inquiry(.facts, bell: bell.descriptor) { want in
            // Opening it waits in the kernel for whoever reads it.
            if want == .configuration { close(open(fifo, O_WRONLY | O_CLOEXEC)) }
            return .configuration(ConfiguredSettings(limit: nil))
        }
        try facts.start()
        facts.ask(.configuration)
        facts.ask(.origin)
        let hangs = eventually { facts.stuck(now: later(31.5)) != nil }
        #expect(hangs)
        let hung = facts.stuck(now: later(31.5))
        #expect(hung?.part == "facts")
        #expect(hung?.reason == "reading the configuration has hung for 31s")
        #expect(hung?.remains == "limits are judged without it")
        #expect(facts.stuck(now: later(20)) == nil)
        #expect(facts.takeAnswers().isEmpty)

        let reader = open(fifo, O_RDONLY | O_CLOEXEC)
        defer { close(reader) }
        var answered = 0
        let isAnswered = eventually {
            answered += facts.takeAnswers().count
            return answered == 2
        }

        #expect(isAnswered)
        #expect(eventually { facts.stuck(now: later(600)) == nil })
    }

    @Test func `a long dump hangs only after a minute, since it runs when nobody else wants to`() throws {
        let gate = try Gate()
        let bell = try EventDescriptor()
        let survey = try Inquiry(.survey, bell: bell.descriptor) { _ in
            gate.bell.wait()
            return .tick
        }
        try survey.start()
        survey.ask(.survey(establishedTimeout: nil))
        #expect(eventually { survey.stuck(now: later(61)) != nil })
        #expect(survey.stuck(now: later(30)) == nil)
        #expect(survey.stuck(now: later(61))?.part == "survey")
        gate.bell.ring()
        let isRung = rings(bell)

        #expect(isRung)
    }
}

private final class Gate: Sendable {
    let bell: EventDescriptor

    init() throws {
        bell = try EventDescriptor()
    }
}
