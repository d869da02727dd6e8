// SPDX-License-Identifier: GPL-3.0-or-later

/// What the person who looks has chosen.
struct LiveState: Sendable {
    /// The screens, in the order of their keys.
    enum Screen: Int, CaseIterable, Sendable {
        case overview, who, natPorts, kernel, settings, log

        /// Its tab.
        var title: String {
            switch self {
            case .overview: "overview"
            case .who: "who"
            case .natPorts: "NAT ports"
            case .kernel: "kernel"
            case .settings: "settings"
            case .log: "log"
            }
        }

        /// Its tab where there is little room.
        var brief: String {
            switch self {
            case .overview: "all"
            case .natPorts: "NAT"
            case .kernel: "kern"
            case .settings: "set"
            case .who, .log: title
            }
        }

        /// What "s" changes; each way's name.
        var orders: [String] {
            switch self {
            case .who: ["last minute", "since the start"]
            case .kernel: ["kernel's order", "by rate"]
            case .settings: ["differences first", "by name"]
            case .overview, .natPorts, .log: []
            }
        }
    }

    /// What is being typed in the last row.
    struct Prompt: Sendable {
        enum Kind: Sendable { case filter, jump }

        var kind: Kind
        var text = ""
    }

    var screen = Screen.overview
    /// The number of the point that is looked at; nil = the present.
    var at: Int?
    /// What a row must contain.
    var filter = ""
    var orders: [Screen: Int] = [:]
    /// The selected row; nil = none was chosen: the first, and in the log the last.
    var selected: [Screen: Int] = [:]
    /// More of the selected row is shown.
    var isZoomed = false
    /// How much time the plot spans: 0 = all there is.
    var span = 0
    var isHiding = false
    var isHelp = false
    var prompt: Prompt?
    /// Shown until the next key.
    var message: String?

    /// Which order `screen` is in.
    var order: Int { orders[screen] ?? 0 }
}

/// What a key asks of others.
package enum LiveEffect: Equatable, Sendable {
    /// The end. `leavesScreen`: what is shown stays on the terminal.
    case quit(leavesScreen: Bool)
}
