// SPDX-License-Identifier: GPL-3.0-or-later

/// How sure something is that is said of a host.
public enum Certainty: String, Codable, Comparable, Sendable {
    /// It can't be known from what was there to read.
    case unknown
    /// It may be so: a version or a moment decides that is not to be seen.
    case may
    /// It follows from what was read.
    case certain

    /// By how much is known.
    public static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }

    private var weight: Int { self == .unknown ? 0 : self == .may ? 1 : 2 }
}
