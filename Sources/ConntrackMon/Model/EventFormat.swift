// SPDX-License-Identifier: GPL-3.0-or-later

/// How `events` writes an event.
public enum EventFormat: String, CaseIterable, Sendable {
    /// As `conntrack -E` does.
    case conntrack
    /// One JSON object a line.
    case json
    /// A row for a person.
    case table
}

/// What conntrack's `-o` adds to its line.
public struct LineOptions: OptionSet, Sendable {
    /// Bits of `enum cnf_style_option`; `labels` is none of them.
    public let rawValue: UInt32

    /// From bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The entry's id.
    public static let id = LineOptions(rawValue: 1)
    /// The family.
    public static let extended = LineOptions(rawValue: 2)
    /// When it happened.
    public static let timestamp = LineOptions(rawValue: 4)
    /// When the entry began and ended.
    public static let ktimestamp = LineOptions(rawValue: 8)
    /// The names of its labels.
    public static let labels = LineOptions(rawValue: 1 << 16)
}

/// How a row looks on a terminal.
public struct RowLook: Equatable, Sendable {
    /// Kinds of events are told by colour too.
    public var isColoured = false
    /// Nothing but ASCII.
    public var isPlain = false

    /// Without colour, in UTF-8.
    public init() {}

    /// What suits a stdout that is a terminal or not, by the environment: NO_COLOR (no-color.org), TERM, and the locale.
    public init(isTerminal: Bool, environment: (String) -> String?) {
        let noColour = environment("NO_COLOR") ?? ""
        isColoured = isTerminal && noColour.isEmpty && environment("TERM") ?? "dumb" != "dumb"
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first { !$0.isEmpty } ?? "C"
        let charset = locale.lowercased()
        isPlain = !charset.contains("utf-8") && !charset.contains("utf8")
    }
}
