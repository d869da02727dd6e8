// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

/// Which rows of the table a group of flags has. A type each, since the parser tells groups apart by their types.
protocol FlagGroup: SendableMetatype {
    static var command: CommandName { get }
    static var rows: [OptionRow] { get }
}

/// The flags of a group, made from the table of options.
///
/// The parser learns a type's flags by reflection and reads them by `Decodable`; both may be answered from a table as well
/// as by declared properties, which would say each name twice. None has a default: what is not given is not in `given`.
struct Flags<Group: FlagGroup>: ParsableArguments, CustomReflectable {
    /// What was given, as it was written.
    private(set) var given: [(name: String, text: String)] = []

    init() {}

    var customMirror: Mirror {
        Mirror(self, children: Group.rows.map { (label: $0.name, value: $0.flag(of: Group.command)) })
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: FlagKey.self)
        for row in Group.rows {
            let key = FlagKey(stringValue: row.name)
            if row.placeholder == nil {
                if try values.decode(Flag<Bool>.self, forKey: key).wrappedValue { given.append((row.name, "on")) }
            } else if let text = try values.decode(Option<String?>.self, forKey: key).wrappedValue {
                given.append((row.name, text))
            }
        }
    }

    /// Takes what was given into `values`.
    func apply(to values: inout OptionValues) throws {
        for (name, text) in given { try values.take(name, text, from: .flag) }
    }
}

/// A flag's name in what was parsed.
private struct FlagKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

extension OptionRow {
    /// What the parser is told: `Flag<Bool>`, or `Option<String?>` whose text was found good.
    fileprivate func flag(of command: CommandName) -> Any {
        let letter = letter(for: command).map { [NameSpecification.Element.customShort($0)] } ?? []
        let names = NameSpecification(letter + [.customLong(name)] + aliases.map { .customLong($0) })
        let help = ArgumentHelp(help(for: command), valueName: placeholder)
        if placeholder == nil { return Flag(wrappedValue: false, name: names, help: help) }
        return Option<String?>(
            name: names, parsing: isNumber ? .unconditional : .next, help: help, completion: completionKind,
            transform: { text in
                var scratch = Settings()
                try read(text, into: &scratch)
                return text
            })
    }

    private var completionKind: CompletionKind? {
        switch completion {
        case .none: nil
        case .words(let words): .list(words)
        case .file: .file()
        case .folder: .directory
        }
    }
}

/// Does `body`; what is wrong with the options is wrong use.
func validating<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as OptionError {
        throw ValidationError("\(error)")
    }
}
