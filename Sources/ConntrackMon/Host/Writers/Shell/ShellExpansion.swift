// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Expansions: what words are by the time a command sees them.
extension ShellRun {
    /// The text of a word that is not split: the right side of an assignment, a file to write to.
    mutating func text(of word: ShellWord) -> String {
        let whole = word.pieces.map { text(of: $0) }.joined()
        return whole.utf8.count <= ShellRun.textLimit ? whole : String(ShellRun.unknown)
    }

    private mutating func text(of piece: ShellWord.Piece) -> String {
        switch piece {
        case .text(let text, _): return text
        case .variable(let name, let otherwise, _):
            if let value = variables[name], !value.isEmpty || otherwise == nil { return value }
            if let otherwise, !isEnvironmentUnknown { return otherwise }
            return String(ShellRun.unknown)
        case .command(let text, _):
            spend(text.utf8.count / 64)
            let outer = variables
            let output = run(ShellParser.parse(text)).output
            variables = outer
            var result = self.text(of: output)
            while result.hasSuffix("\n") { result.removeLast() }
            return result
        case .arithmetic(let text):
            var reader = Arithmetic(text: text, variables: variables)
            return reader.value().map { "\($0)" } ?? String(ShellRun.unknown)
        case .unknown: return String(ShellRun.unknown)
        }
    }

    /// A pattern of `case`, with what was quoted in it quoted for fnmatch.
    mutating func pattern(of word: ShellWord) -> String {
        word.pieces.map { piece in
            guard case .text(let text, true) = piece else { return text(of: piece) }
            return text.map { "*?[\\".contains($0) ? "\\\($0)" : String($0) }.joined()
        }.joined()
    }

    /// The words that a word becomes: what was not quoted is split at blanks, and names of files are found.
    mutating func fields(of word: ShellWord, isTest: Bool = false) -> [String] {
        var fields: [String] = []
        var current: String?
        var isGlob = false
        for piece in word.pieces {
            let text = text(of: piece)
            let isSplit: Bool
            switch piece {
            case .variable(let name, _, let quoted): isSplit = !quoted || name == "@"
            case .command(_, let quoted): isSplit = !quoted
            default: isSplit = false
            }
            if case .text(let literal, false) = piece, literal.contains(where: { "*?[".contains($0) }) { isGlob = true }
            guard isSplit, !isTest else {
                current = (current ?? "") + text
                continue
            }
            let parts = text.split(omittingEmptySubsequences: false) { $0 == " " || $0 == "\t" || $0 == "\n" }
            for (index, part) in parts.enumerated() {
                if index > 0, let done = current, !done.isEmpty {
                    fields.append(done)
                    current = nil
                }
                if !part.isEmpty { current = (current ?? "") + part }
            }
        }
        if let current { fields.append(current) }
        fields = fields.map { $0.utf8.count <= ShellRun.textLimit ? $0 : String(ShellRun.unknown) }
        guard isGlob, !isTest, fields.count == 1, let found = files(matching: fields[0]) else { return fields }
        return found
    }

    /// The files that a pattern in the last part of a path finds; nil for none.
    private mutating func files(matching pattern: String) -> [String]? {
        spend(100)
        guard pattern.hasPrefix("/"), let slash = pattern.lastIndex(of: "/") else { return nil }
        let (folder, last) = (String(pattern[..<slash]), String(pattern[pattern.index(after: slash)...]))
        guard !folder.contains(where: { "*?[".contains($0) || $0 == ShellRun.unknown }),
            let names = sources.tree.names(in: folder)
        else { return nil }
        let found = names.filter { !$0.hasPrefix(".") && fnmatches(last, $0) }
        return found.isEmpty ? nil : found.prefix(200).map { folder + "/" + $0 }
    }
}

/// fnmatch without flags, as `case` has it.
func fnmatches(_ pattern: String, _ text: String) -> Bool { fnmatch(pattern, text, 0) == 0 }

/// $((...)) of whole numbers with + - * / % and parentheses. Pure.
private struct Arithmetic {
    private let bytes: [UInt8]
    private let variables: [String: String]
    private var position = 0
    private var depth = 0

    init(text: String, variables: [String: String]) {
        bytes = text.utf8.filter {
            $0 > 0x20 && $0 != UInt8(ascii: "$") && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "}")
        }
        self.variables = variables
    }

    mutating func value() -> Int? {
        let value = sum()
        return position == bytes.count ? value : nil
    }

    private mutating func take(_ text: StaticString) -> UInt8? {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        guard text.withUTF8Buffer({ $0.contains(byte) }) else { return nil }
        position += 1
        return byte
    }

    private mutating func sum() -> Int? {
        var value = product()
        while let mark = take("+-") {
            guard let left = value, let right = product() else { return nil }
            let (result, isOver) =
                mark == UInt8(ascii: "+")
                ? left.addingReportingOverflow(right) : left.subtractingReportingOverflow(right)
            value = isOver ? nil : result
        }
        return value
    }

    private mutating func product() -> Int? {
        var value = term()
        while let mark = take("*/%") {
            guard let left = value, let right = term() else { return nil }
            let (result, isOver) =
                mark == UInt8(ascii: "*")
                ? left.multipliedReportingOverflow(by: right)
                : mark == UInt8(ascii: "/")
                    ? left.dividedReportingOverflow(by: right) : left.remainderReportingOverflow(dividingBy: right)
            value = isOver ? nil : result
        }
        return value
    }

    private mutating func term() -> Int? {
        depth += 1
        defer { depth -= 1 }
        guard depth < 50 else { return nil }
        if take("(") != nil {
            let value = sum()
            return take(")") == nil ? nil : value
        }
        let start = position
        while position < bytes.count, !"+-*/%()<>=&|^!~?:,".utf8.contains(bytes[position]) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        let text = word.first?.isNumber == true ? word : variables[word] ?? ""
        return SysctlSyntax.number(text).flatMap { Int(exactly: $0) }
    }
}
