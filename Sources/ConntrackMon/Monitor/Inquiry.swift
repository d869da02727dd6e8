// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// A thread that answers what may take its time, or hang with a file system: the engine never waits for it.
final class Inquiry: Sendable {
    private struct Work {
        var wants: [Want] = []
        var answers: [(reading: Reading, begun: Moment)] = []
    }

    private let name: String
    private let isIdle: Bool
    private let work = Lock(Work())
    private let asked: EventDescriptor
    /// Rung when there is an answer.
    private let bell: EventDescriptor
    private let answer: @Sendable (Want) -> Reading?

    /// `isIdle`: the thread runs only when nobody else wants to. `bell` is shared with whoever else wakes the main thread.
    init(
        name: String, isIdle: Bool, bell: Int32, answer: @escaping @Sendable (Want) -> Reading?
    ) throws(SystemError) {
        self.name = name
        self.isIdle = isIdle
        self.answer = answer
        asked = try EventDescriptor()
        self.bell = try EventDescriptor(duplicating: bell)
    }

    /// Starts the thread. Nobody waits for its end: what it still does when the monitor ends is of no use to anybody.
    func start() throws(SystemError) {
        try Thread(name: name) { self.run() }.detach()
    }

    /// Never waits.
    func ask(_ want: Want) {
        work.withLock { $0.wants.append(want) }
        asked.ring()
    }

    /// What was answered since the last call, each with the moment at which it was begun.
    func takeAnswers() -> [(reading: Reading, begun: Moment)] {
        work.withLock { work in
            defer { work.answers = [] }
            return work.answers
        }
    }

    private func run() {
        // On Linux this is the calling thread's priority, not the process's (setpriority(2), NOTES).
        if isIdle { setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19) }
        while true {
            asked.wait()
            asked.silence()
            while let want = work.withLock({ $0.wants.isEmpty ? nil : $0.wants.removeFirst() }) {
                let begun = Moment.now()
                guard let reading = answer(want) else { continue }
                work.withLock { $0.answers.append((reading, begun)) }
                bell.ring()
            }
        }
    }
}
