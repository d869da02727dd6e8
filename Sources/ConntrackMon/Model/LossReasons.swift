// SPDX-License-Identifier: GPL-3.0-or-later

extension LostEvents {
    /// The counts with the words that metrics, lines and documents have for them, in the order in which an event would meet them.
    public var byReason: [(name: String, value: UInt64)] {
        [("overrun", overrun), ("truncated", truncated), ("malformed", malformed), ("dropped", dropped)]
    }
}
