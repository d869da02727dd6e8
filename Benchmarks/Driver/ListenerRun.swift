// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// Events that were made, and how many a second.
struct Events {
    var count: Double
    var rate: Double
}

/// What reading events cost one listener, and what became of them.
struct ListenerRun {
    var made: Events
    var readerMicroseconds: Double
    var wholeMicroseconds: Double
    /// Messages that its socket had no room for.
    var overruns: Double
    /// What it counted itself; nil for those that do not count.
    var received: Listener.Received?

    /// Events counted and events lost minus events made.
    var surplus: Double? {
        received.map { $0.events + $0.lost.values.reduce(0, +) - made.count }
    }

    /// Events it did not see, by whoever knows of more.
    var lost: Double {
        max(overruns, received?.lost.values.reduce(0, +) ?? 0)
    }

    /// The CPU time while `make` makes events and until all of them are read, less what the same time costs idle, for which
    /// it is watched so long. Divided by the events that it read.
    init(_ audience: Audience, in arena: Arena, idle: Duration, _ make: () throws -> Events) throws {
        let listener = try Listener(audience, in: arena.namespace)
        let start = try listener.processorTime()
        let idleSeconds = elapsed { pause(idle) }
        let before = try listener.processorTime()
        var made = Events(count: 0, rate: 0)
        let busySeconds = try elapsed {
            made = try make()
            listener.rest()
        }
        let after = try listener.processorTime()
        let overruns = try listener.overruns()

        func microseconds(_ of: KeyPath<ProcessorTime, UInt64>) -> Double {
            let spent = Double(after[keyPath: of] - before[keyPath: of])
            let unloaded = Double(before[keyPath: of] - start[keyPath: of]) * busySeconds / idleSeconds
            return (spent - unloaded) / 1000 / max(made.count - overruns, 1)
        }
        self.made = made
        self.overruns = overruns
        readerMicroseconds = microseconds(\.reader)
        wholeMicroseconds = microseconds(\.whole)
        received = try listener.stop()
    }
}

/// Runs of several audiences, round by round. One that fails is not tried again, and its reason is kept.
struct ListenerRuns {
    private var runs: [Audience: [ListenerRun?]] = [:]
    private var problems: [Audience: String] = [:]

    mutating func attempt(_ audience: Audience, _ run: () throws -> ListenerRun) {
        var result: ListenerRun?
        if problems[audience] == nil {
            do {
                result = try run()
            } catch {
                note("\(error)")
                problems[audience] = "\(error)"
            }
        }
        runs[audience, default: []].append(result)
    }

    /// Those that succeeded.
    func all(_ audience: Audience) -> [ListenerRun] { (runs[audience] ?? []).compactMap { $0 } }

    /// A value a round; nil where there is none.
    func values(_ audience: Audience, _ value: (ListenerRun) -> Double?) -> [Double?] {
        (runs[audience] ?? []).map { $0.flatMap(value) }
    }

    /// Why there is nothing to compare, if one of them failed.
    func reason(_ audiences: Audience...) -> Outcome? {
        audiences.compactMap { problems[$0] }.first.map { .notMeasured($0) }
    }
}
