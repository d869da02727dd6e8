// SPDX-License-Identifier: GPL-3.0-or-later

internal import Synchronization

/// How much of all scripts of a host is read and followed: a look must stay cheap, whatever lies there.
final class ShellBudget: Sendable {
    /// Some thousand commands are what a host with many units has.
    private let steps = Atomic(8000)
    private let bytes = Atomic(512 << 10)

    /// Whether there was more than that: what it would have set is not known.
    var isSpent: Bool { steps.load(ordering: .relaxed) <= 0 || bytes.load(ordering: .relaxed) <= 0 }

    /// Takes a command; false where none is left.
    func step() -> Bool { steps.subtract(1, ordering: .relaxed).newValue > 0 }

    /// Takes a text to be read; false where nothing is left.
    func read(_ text: String) -> Bool { bytes.subtract(text.utf8.count + 64, ordering: .relaxed).newValue > 0 }
}
