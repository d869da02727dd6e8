// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackEngine
package import ConntrackModel
package import ConntrackRing

/// An engine with a tee in front of it: what it is given is recorded first.
///
/// That its wants were taken is recorded too. It is no observation, but it decides what is asked again, and so when an
/// interval closes.
package struct RecordedEngine: ~Copyable {
    /// The engine; for what is asked of it and changes nothing.
    package private(set) var engine: Engine
    /// What was recorded and not taken yet.
    package var recording: RecordingWriter
    private let messages: MessageRoad

    /// An engine that begins as `start` says, with the beginning of its recording.
    package init(_ start: RecordingStart, messages: MessageRoad, capacity: Int = 0) {
        engine = Engine(start.plan, seed: start.seed, restored: start.restored, at: start.moment)
        recording = RecordingWriter(capacity: capacity)
        self.messages = messages
        recording.begin(start)
    }

    /// Takes a batch off the ring.
    package mutating func take(_ records: borrowing Span<cnf_record>) {
        recording.take(records, messages)
        engine.take(records)
    }

    /// Takes a reading that was begun at `moment`.
    package mutating func take(_ reading: Reading, at moment: Moment) {
        recording.take(reading, at: moment)
        engine.take(reading, at: moment)
    }

    /// What is wanted, each once.
    package mutating func takeWants() -> [Want] {
        let wants = engine.takeWants()
        if !wants.isEmpty { recording.asked() }
        return wants
    }

    /// What is to be published.
    package mutating func takeOutputs() -> [Output] { engine.takeOutputs() }
}
