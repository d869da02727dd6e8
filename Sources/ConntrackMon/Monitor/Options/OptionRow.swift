// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A command of the program.
package enum CommandName: String, CaseIterable, Sendable {
    case watch, check, status, top, events, doctor
}

/// One option: its name, what it means, how its value is written, where it goes.
package struct OptionRow: Sendable {
    /// "warn-hold"; behind two dashes it is the flag.
    package let name: String
    /// The one letter that the commands other than `watch` take as well.
    private let letter: Character?
    /// Where that letter is another option's.
    private let letterless: Set<CommandName>
    /// Other names, behind two dashes too.
    package let aliases: [String]
    /// Which commands take it.
    package let commands: Set<CommandName>
    /// What stands for the value in the help; nil = a switch.
    package let placeholder: String?
    /// Its value is a number: one that begins with a minus is a wrong value, not the next flag.
    package let isNumber: Bool
    /// What a shell may complete.
    package let completion: OptionCompletion
    /// Its place in `Settings`.
    let path: any PartialKeyPath<Settings> & Sendable

    private let meaning: String
    /// What the commands which look once say instead of `meaning`.
    private let brief: String?
    private let isListed: Bool
    /// What holds while it is nil, where that is more than "none".
    private let otherwise: String?
    private let read: @Sendable (String, inout Settings) throws(OptionError) -> Void
    private let print: @Sendable (Settings) -> String?

    /// The letter that `command` takes as well.
    package func letter(for command: CommandName) -> Character? {
        command == .watch || letterless.contains(command) ? nil : letter
    }

    /// An option that always has a value.
    init<Value>(
        _ name: String, _ commands: Set<CommandName> = [.watch],
        at path: any WritableKeyPath<Settings, Value> & Sendable,
        _ format: ValueFormat<Value>, _ meaning: String, letter: Character? = nil, brief: String? = nil,
        aliases: [String] = [], letterless: Set<CommandName> = []
    ) {
        self.init(
            name, commands, path, format, meaning, letter: letter, brief: brief, otherwise: nil, aliases: aliases,
            letterless: letterless,
            read: { text, settings throws(OptionError) in settings[keyPath: path] = try format.parse(text) },
            print: { format.text($0[keyPath: path]) })
    }

    /// An option that has none, nil, unless it is given.
    init<Value>(
        _ name: String, _ commands: Set<CommandName> = [.watch],
        at path: any WritableKeyPath<Settings, Value?> & Sendable,
        ifGiven format: ValueFormat<Value>, _ meaning: String, letter: Character? = nil, brief: String? = nil,
        aliases: [String] = [], otherwise: String? = nil
    ) {
        self.init(
            name, commands, path, format, meaning, letter: letter, brief: brief, otherwise: otherwise,
            aliases: aliases, letterless: [],
            read: { text, settings throws(OptionError) in settings[keyPath: path] = try format.parse(text) },
            print: { $0[keyPath: path].map(format.text) })
    }

    private init<Value>(
        _ name: String, _ commands: Set<CommandName>, _ path: any PartialKeyPath<Settings> & Sendable,
        _ format: ValueFormat<Value>, _ meaning: String, letter: Character?, brief: String?, otherwise: String?,
        aliases: [String], letterless: Set<CommandName>,
        read: @escaping @Sendable (String, inout Settings) throws(OptionError) -> Void,
        print: @escaping @Sendable (Settings) -> String?
    ) {
        self.name = name
        self.letter = letter
        self.letterless = letterless
        self.aliases = aliases
        self.commands = commands
        placeholder = format.placeholder
        isNumber = format.isNumber
        completion = format.completion
        self.path = path
        self.meaning = meaning
        self.brief = brief
        isListed = format.isListed
        self.otherwise = otherwise
        self.read = read
        self.print = print
    }

    /// Its value in `settings` as it is written; nil where it has none.
    package func text(in settings: Settings) -> String? {
        print(settings)
    }

    /// Reads `text` into its place, or says what was expected.
    package func read(_ text: String, into settings: inout Settings) throws(OptionError) {
        try read(text, &settings)
    }

    /// What holds when nobody gives it; nil = nothing.
    package var defaultText: String? {
        text(in: Settings()) ?? otherwise
    }

    /// What it means to `command`, in a sentence or two.
    package func meaning(for command: CommandName) -> String {
        command == .watch ? meaning : brief ?? meaning
    }

    /// Its line in the help of `command`: what it means, and the default.
    package func help(for command: CommandName) -> String {
        let words = meaning(for: command)
        guard placeholder != nil, let defaultText else { return words }
        guard isListed, case .words(let values) = completion else { return "\(words) (default: \(defaultText))" }
        return "\(words) (values: \(values.joined(separator: ", ")); default: \(defaultText))"
    }
}

/// Options that belong together.
package struct OptionSection: Sendable {
    /// Above them in the help of `watch`; "" = no title.
    package let title: String
    /// In the order of the help.
    package let rows: [OptionRow]

    init(_ title: String, _ rows: [OptionRow]) {
        self.title = title
        self.rows = rows
    }
}
