// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Where the value of an option came from.
package enum Origin: Equatable, Sendable {
    /// Nobody gave it.
    case builtIn
    /// A configuration file; its place, as file and line.
    case file(String)
    /// An environment variable, by its name.
    case environment(String)
    /// The command line.
    case flag

    /// For people: "default", "/etc/conntrack-mon.toml:3", "CONNTRACK_MON_WARN", "flag".
    package var text: String {
        switch self {
        case .builtIn: "default"
        case .file(let place): place
        case .environment(let variable): variable
        case .flag: "flag"
        }
    }
}

/// What a command is told: the settings that result, and where each came from. Pure; what lies in files or in the kernel is
/// `Settings.prepared()`.
package struct OptionValues: Sendable {
    /// Whose options.
    package let command: CommandName
    /// Unchecked; `checked()` gives those to work with.
    package private(set) var settings = Settings()
    private var origins: [String: Origin] = [:]

    /// The defaults.
    package init(_ command: CommandName) {
        self.command = command
    }

    /// Takes one value, over the one it had: files first, then the environment, then flags. Its name is a row's.
    package mutating func take(_ name: String, _ text: String, from origin: Origin) throws(OptionError) {
        guard let row = OptionTable.rows(of: command).first(where: { $0.name == name }) else {
            throw OptionError("\(OptionValues.said(name, origin)): there is no such option")
        }
        do {
            try row.read(text, into: &settings)
        } catch {
            throw OptionError("\(OptionValues.said(name, origin)): \(error)")
        }
        origins[name] = origin
    }

    /// Where the value of `name` came from.
    package func origin(of name: String) -> Origin {
        origins[name] ?? .builtIn
    }

    /// An option with its effective value, as it is written (nil = none), and where that came from.
    package struct Effective: Equatable, Sendable {
        /// The option's name.
        package var name: String
        /// Its value.
        package var text: String?
        /// Where it came from.
        package var origin: Origin
    }

    /// Every option of the command, in the order of its help.
    package var effective: [Effective] {
        OptionTable.rows(of: command).map {
            Effective(name: $0.name, text: $0.text(in: settings), origin: origin(of: $0.name))
        }
    }

    /// The filter as it is written: "--proto tcp --dport 443"; "" without one.
    package var filterText: String {
        let given = OptionTable.filters.rows.filter { origin(of: $0.name) != .builtIn }
        return given.map { row in
            row.placeholder == nil ? "--\(row.name)" : "--\(row.name) \(row.text(in: settings) ?? "")"
        }.joined(separator: " ")
    }

    /// How an option is spoken of: as its flag, or by what gave it.
    func said(_ name: String) -> String {
        OptionValues.said(name, origin(of: name))
    }

    private static func said(_ name: String, _ origin: Origin) -> String {
        switch origin {
        case .builtIn, .flag: "--\(name)"
        case .environment(let variable): variable
        case .file(let place): "\(place): \(name)"
        }
    }
}
