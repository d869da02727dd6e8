// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
package import ConntrackEngine
internal import ConntrackModel

/// Runs what a recording holds through an engine again. Pure: items are handed in, outputs come out; however the records
/// are cut into batches, they are the same.
package struct ReplayedEngine: ~Copyable {
    private var engine: Engine
    private var batch: [cnf_record] = []
    private let batchSize: Int

    /// An engine as `start` says; a caller that changes the rules of its plan tries other thresholds. `batchSize`: how many
    /// records it is given at once.
    package init(_ start: RecordingStart, batchSize: Int = 4096) {
        engine = Engine(start.plan, seed: start.seed, restored: start.restored, at: start.moment)
        self.batchSize = max(1, batchSize)
        batch.reserveCapacity(self.batchSize)
    }

    /// Takes what comes next. A start is the caller's: it is another engine's.
    package mutating func take(_ item: RecordingReader.Item) {
        switch item {
        case .record(let record):
            batch.append(record)
            if batch.count >= batchSize { flush() }
        case .reading(let reading, let moment):
            flush()
            engine.take(reading, at: moment)
        case .asked:
            flush()
            _ = engine.takeWants()
        case .start, .nothing:
            break
        }
    }

    /// Has the engine see what still waits for its batch to be full.
    package mutating func flush() {
        guard !batch.isEmpty else { return }
        batch.withUnsafeBufferPointer { engine.take($0.span) }
        batch.removeAll(keepingCapacity: true)
    }

    /// What is to be published, of all that was flushed.
    package mutating func takeOutputs() -> [Output] { engine.takeOutputs() }
}
