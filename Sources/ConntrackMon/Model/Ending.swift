// SPDX-License-Identifier: GPL-3.0-or-later

/// How watching ended.
public struct Ending: Equatable, Sendable {
    /// Why.
    public var why: String
    /// It could not go on; else it was told to end.
    public var isFailure: Bool

    /// An end and its cause.
    package init(_ why: String, isFailure: Bool = false) {
        self.why = why
        self.isFailure = isFailure
    }
}
