// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel

/// How values of an option are written, on the command line as in a file or the environment: read and printed by the same
/// format, so that what is printed reads back as the same value.
package struct ValueFormat<Value: Equatable & Sendable>: Sendable {
    /// What stands for the value in the help, without its brackets; nil = a switch, which is given without one.
    let placeholder: String?
    /// What a shell may complete.
    var completion = OptionCompletion.none
    /// A number: one that begins with a minus is a wrong value, not the next flag.
    var isNumber = false
    /// The help lists all words of `completion`.
    var isListed = false
    /// Reads a value, or says what it expects.
    let parse: @Sendable (String) throws(OptionError) -> Value
    /// Prints it.
    let text: @Sendable (Value) -> String
}

/// What a shell may complete where a value is to stand.
package enum OptionCompletion: Equatable, Sendable {
    /// Nothing.
    case none
    /// One of these.
    case words([String])
    /// A file.
    case file
    /// A folder.
    case folder
}

// MARK: Words

extension ValueFormat where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
    /// One of the words of an enum.
    static func choice(_ placeholder: String, isListed: Bool = false) -> Self {
        Self(
            placeholder: placeholder, completion: .words(Value.allCases.map(\.rawValue)), isListed: isListed,
            parse: { text throws(OptionError) in try oneOf(text) }, text: \.rawValue)
    }
}

extension ValueFormat where Value == AbsentMeaning? {
    /// `auto` for nil, or a word.
    static func autoOrChoice(_ placeholder: String) -> Self {
        let words = ["auto"] + AbsentMeaning.allCases.map(\.rawValue)
        return Self(
            placeholder: placeholder, completion: .words(words),
            parse: { text throws(OptionError) in
                if text == "auto" { return nil }
                guard let meaning = AbsentMeaning(rawValue: text) else { throw noneOf(words, text) }
                return meaning
            },
            text: { $0?.rawValue ?? "auto" })
    }
}

extension ValueFormat where Value == CheckResult.State {
    /// A plugin's states by their words, in lower case.
    static let checkState = {
        let words: [(word: String, state: CheckResult.State)] = [
            ("ok", .ok), ("warning", .warning), ("critical", .critical), ("unknown", .unknown),
        ]
        let all = words.map(\.word)
        return Self(
            placeholder: "state", completion: .words(all), isListed: true,
            parse: { text throws(OptionError) in
                guard let found = words.first(where: { $0.word == text }) else { throw noneOf(all, text) }
                return found.state
            },
            text: { state in words.first { $0.state == state }?.word ?? "" })
    }()
}

extension ValueFormat where Value == Bool {
    /// A switch: on by the flag alone; elsewhere on, off, true or false.
    static let onOff = Self(
        placeholder: nil,
        parse: { text throws(OptionError) in
            switch text {
            case "on", "true": true
            case "off", "false": false
            default: throw OptionError("'\(text)' is neither on nor off")
            }
        },
        text: { $0 ? "on" : "off" })
}

extension ValueFormat where Value == EventGroups {
    /// `new,destroy`, or `none`.
    static let eventGroups = {
        let words: [(word: Substring, group: EventGroups)] = [
            ("new", .new), ("update", .update), ("destroy", .destroy),
        ]
        return Self(
            placeholder: "list",
            parse: { text throws(OptionError) in
                var groups: EventGroups = []
                if text == "none" { return groups }
                for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                    guard let known = words.first(where: { $0.word == word }) else {
                        throw OptionError("'\(word)' is no event; write any of new,update,destroy, or none")
                    }
                    groups.insert(known.group)
                }
                return groups
            },
            text: { groups in
                groups.isEmpty ? "none" : words.filter { groups.contains($0.group) }.map(\.word).joined(separator: ",")
            })
    }()
}

extension ValueFormat where Value == [TopField] {
    /// `source`, or several keys: `source,port`.
    static let topFields = Self(
        placeholder: "keys",
        parse: { text throws(OptionError) in
            var fields: [TopField] = []
            for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                let field: TopField = try oneOf(String(word))
                guard !fields.contains(field) else { throw OptionError("'\(word)' is there twice") }
                fields.append(field)
            }
            return fields
        },
        text: { $0.map(\.rawValue).joined(separator: ",") })
}

private func oneOf<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws(OptionError) -> Choice {
    guard let choice = Choice(rawValue: text) else { throw noneOf(Choice.allCases.map(\.rawValue), text) }
    return choice
}

private func noneOf(_ words: [String], _ text: String) -> OptionError {
    OptionError("'\(text)' is none of: \(words.joined(separator: ", "))")
}

// MARK: Names and paths

extension ValueFormat where Value == String {
    /// A name, or a path to what has one.
    static func name(_ placeholder: String) -> Self {
        path(placeholder, completion: .none)
    }

    /// A path to a file.
    static func file(_ placeholder: String = "file") -> Self {
        path(placeholder, completion: .file)
    }

    /// A path to a folder, kept without the slashes at its end: "" is "/".
    static let folder = path("dir", completion: .folder) { path in
        var path = path[...]
        while path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    private static func path(
        _ placeholder: String, completion: OptionCompletion, kept: @escaping @Sendable (String) -> String = { $0 }
    ) -> Self {
        Self(
            placeholder: placeholder, completion: completion,
            parse: { text throws(OptionError) in
                guard !text.isEmpty else { throw OptionError("'' is no \(placeholder)") }
                return kept(text)
            },
            text: { $0.isEmpty ? "/" : $0 })
    }
}
