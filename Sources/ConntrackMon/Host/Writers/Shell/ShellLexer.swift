// SPDX-License-Identifier: GPL-3.0-or-later

/// A word of shell text before its expansion.
struct ShellWord: Equatable, Sendable {
    enum Piece: Equatable, Sendable {
        case text(String, quoted: Bool)
        /// $NAME, ${NAME}, ${NAME:-otherwise}.
        case variable(String, otherwise: String?, quoted: Bool)
        /// $(...) and `...`.
        case command(String, quoted: Bool)
        /// $((...)).
        case arithmetic(String)
        /// What is not understood.
        case unknown
    }

    var pieces: [Piece] = []

    /// The word where nothing in it is quoted or to be expanded: only such words are reserved ones.
    var plain: String? {
        guard pieces.count == 1, case .text(let text, false) = pieces[0] else { return nil }
        return text
    }
}

/// A piece of shell text with the line on which it begins.
struct ShellToken: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case word(ShellWord)
        /// ; & && || | ( ) ;; and the like.
        case mark(String)
        case newline
        /// `2>FILE`; what it leads to is the next word. A here-document holds its text.
        case redirect(descriptor: Int?, mark: String, document: String?)
    }

    var kind: Kind
    var line: Int
}

/// Takes shell text apart, as POSIX' "token recognition" has it, by bytes. Pure.
struct ShellLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line: Int
    private(set) var tokens: [ShellToken] = []
    /// Here-documents whose text follows the line: the token that asks for it, and the word that ends it.
    private var documents: [(token: Int, end: String, stripsTabs: Bool)] = []

    private static let limit = 40_000

    init(_ text: String, line: Int = 1) {
        bytes = Array(text.utf8)
        self.line = line
    }

    static func tokens(of text: String, line: Int = 1) -> [ShellToken] {
        var lexer = ShellLexer(text, line: line)
        lexer.run()
        return lexer.tokens
    }

    private func peek(_ ahead: Int = 0) -> UInt8 {
        position + ahead < bytes.count ? bytes[position + ahead] : 0
    }

    private func starts(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    }

    private mutating func add(_ kind: ShellToken.Kind) { tokens.append(ShellToken(kind: kind, line: line)) }

    private mutating func run() {
        while position < bytes.count, tokens.count < ShellLexer.limit {
            switch peek() {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "\\") where peek(1) == UInt8(ascii: "\n"): skipJoint()
            case UInt8(ascii: "\n"): endLine()
            case UInt8(ascii: "#"):
                while position < bytes.count, peek() != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "<"), UInt8(ascii: ">"): redirect(descriptor: nil)
            case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "("), UInt8(ascii: ")"): mark()
            default: wordOrNumber()
            }
        }
    }

    private mutating func skipJoint() {
        position += 2
        line += 1
    }

    private mutating func endLine() {
        add(.newline)
        position += 1
        line += 1
        for document in documents {
            var lines: [String] = []
            while position < bytes.count {
                let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
                var text = bytes[position..<end]
                position = min(end + 1, bytes.count)
                line += 1
                if document.stripsTabs { text = text.drop { $0 == UInt8(ascii: "\t") } }
                let string = String(decoding: text, as: UTF8.self)
                if string == document.end { break }
                lines.append(string)
            }
            guard case .redirect(let descriptor, let mark, _) = tokens[document.token].kind else { continue }
            let text = lines.map { $0 + "\n" }.joined()
            tokens[document.token].kind = .redirect(descriptor: descriptor, mark: mark, document: text)
        }
        documents = []
    }

    private mutating func mark() {
        if starts("&>") {
            let length = starts("&>>") ? 3 : 2
            position += length
            add(.redirect(descriptor: 1, mark: length == 3 ? ">>" : ">", document: nil))
            return
        }
        let marks = [";;&", ";;", ";&", "&&", "||", "|&"]
        let rest = String(decoding: bytes[position..<min(position + 3, bytes.count)], as: UTF8.self)
        let found = marks.first(where: rest.hasPrefix) ?? String(rest.prefix(1))
        position += found.utf8.count
        add(.mark(found))
    }

    private mutating func wordOrNumber() {
        var end = position
        while end < bytes.count, bytes[end] >= 0x30, bytes[end] <= 0x39 { end += 1 }
        if end > position, end - position < 4, end < bytes.count,
            [UInt8(ascii: "<"), UInt8(ascii: ">")].contains(bytes[end])
        {
            let number = Int(String(decoding: bytes[position..<end], as: UTF8.self))
            position = end
            redirect(descriptor: number)
            return
        }
        let (start, first) = (position, line)
        let word = word(until: nil)
        // Nothing may stop the reader.
        if position == start { position += 1 }
        tokens.append(ShellToken(kind: .word(word), line: first))
    }

    private mutating func redirect(descriptor: Int?) {
        let marks = ["<<<", "<<-", "<<", "<&", "<>", "<(", "<", ">>", ">&", ">|", ">(", ">"]
        let rest = String(decoding: bytes[position..<min(position + 3, bytes.count)], as: UTF8.self)
        let found = marks.first(where: rest.hasPrefix) ?? "<"
        position += found.utf8.count
        if found.hasSuffix("(") {
            // Process substitution: a word.
            _ = enclosed()
            add(.word(ShellWord(pieces: [.unknown])))
            return
        }
        guard found == "<<" || found == "<<-" else {
            add(.redirect(descriptor: descriptor, mark: found, document: nil))
            return
        }
        while peek() == UInt8(ascii: " ") || peek() == UInt8(ascii: "\t") { position += 1 }
        let end = word(until: nil).pieces.reduce(into: "") { text, piece in
            if case .text(let part, _) = piece { text += part }
        }
        documents.append((tokens.count, end, found == "<<-"))
        add(.redirect(descriptor: descriptor, mark: "<<", document: ""))
    }
}

// MARK: Words

extension ShellLexer {
    /// Reads a word up to what ends it; inside double quotes, up to the closing one.
    private mutating func word(until quote: UInt8?) -> ShellWord {
        var word = ShellWord()
        var text: [UInt8] = []
        var isQuoted = quote != nil
        func flushed() -> ShellWord.Piece { .text(String(decoding: text, as: UTF8.self), quoted: isQuoted) }
        func flush() {
            if !text.isEmpty { word.pieces.append(flushed()) }
            text = []
            isQuoted = quote != nil
        }
        while position < bytes.count {
            let byte = peek()
            if let quote {
                if byte == quote { break }
            } else if ShellLexer.endsWord(byte) {
                // a=(...) of bash.
                guard byte == UInt8(ascii: "("), text.last == UInt8(ascii: "=") else { break }
                position += 1
                _ = enclosed()
                flush()
                word.pieces.append(.unknown)
                continue
            }
            switch byte {
            case UInt8(ascii: "\\"):
                position += 1
                escape(into: &text, isQuoted: quote != nil)
                if quote == nil { isQuoted = true }
            case UInt8(ascii: "'") where quote == nil:
                flush()
                position += 1
                let end = bytes[position...].firstIndex(of: byte) ?? bytes.count
                line += bytes[position..<end].count { $0 == UInt8(ascii: "\n") }
                word.pieces.append(.text(String(decoding: bytes[position..<end], as: UTF8.self), quoted: true))
                position = min(end + 1, bytes.count)
            case UInt8(ascii: "\"") where quote == nil:
                flush()
                position += 1
                let inner = self.word(until: byte)
                word.pieces += inner.pieces.isEmpty ? [.text("", quoted: true)] : inner.pieces
                position += 1
            case UInt8(ascii: "$"):
                if let piece = dollar(quoted: quote != nil) {
                    flush()
                    word.pieces.append(piece)
                } else {
                    text.append(byte)
                }
            case UInt8(ascii: "`"):
                flush()
                position += 1
                let end = bytes[position...].firstIndex(of: byte) ?? bytes.count
                line += bytes[position..<end].count { $0 == UInt8(ascii: "\n") }
                let command = String(decoding: bytes[position..<end], as: UTF8.self)
                word.pieces.append(.command(command, quoted: quote != nil))
                position = min(end + 1, bytes.count)
            default:
                if byte == UInt8(ascii: "\n") { line += 1 }
                text.append(byte)
                position += 1
            }
        }
        flush()
        return word
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
            UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"),
            UInt8(ascii: ">"):
            true
        default: false
        }
    }

    /// What follows a backslash. Inside double quotes it quotes only what is special there.
    private mutating func escape(into text: inout [UInt8], isQuoted: Bool) {
        guard position < bytes.count else { return }
        let byte = peek()
        position += 1
        if byte == UInt8(ascii: "\n") {
            line += 1
        } else {
            let isSpecial = [UInt8(ascii: "$"), UInt8(ascii: "`"), UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(
                byte)
            if isQuoted, !isSpecial { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
    }

    /// What begins with a dollar sign; nil where it stands for itself, and is passed.
    private mutating func dollar(quoted: Bool) -> ShellWord.Piece? {
        position += 1
        let byte = peek()
        if starts("((") {
            position += 1
            let inner = enclosed()
            return inner.hasPrefix("(") && inner.hasSuffix(")")
                ? .arithmetic(String(inner.dropFirst().dropLast())) : .unknown
        }
        if byte == UInt8(ascii: "(") {
            position += 1
            return .command(enclosed(), quoted: quoted)
        }
        if byte == UInt8(ascii: "{") { return braced(quoted: quoted) }
        if byte == UInt8(ascii: "'"), !quoted { return .unknown }
        if byte >= 0x30 && byte <= 0x39 || "#?*@$!-".utf8.contains(byte) {
            position += 1
            return .variable(String(decoding: [byte], as: UTF8.self), otherwise: nil, quoted: quoted)
        }
        let start = position
        while ShellLexer.isNamePart(peek()) { position += 1 }
        guard position > start else { return nil }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        return .variable(name, otherwise: nil, quoted: quoted)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte >= 0x61 && byte <= 0x7a || byte >= 0x41 && byte <= 0x5a || byte >= 0x30 && byte <= 0x39
            || byte == UInt8(ascii: "_")
    }

    /// ${NAME}, ${NAME:-text}; whatever else stands in braces is not understood.
    private mutating func braced(quoted: Bool) -> ShellWord.Piece {
        position += 1
        let start = position
        var depth = 1
        while position < bytes.count {
            if peek() == UInt8(ascii: "\n") { line += 1 }
            if peek() == UInt8(ascii: "{") { depth += 1 }
            if peek() == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { break }
            position += 1
        }
        let inner = bytes[start..<min(position, bytes.count)]
        position = min(position + 1, bytes.count)
        let name = inner.prefix(while: ShellLexer.isNamePart)
        var rest = String(decoding: inner.dropFirst(name.count), as: UTF8.self)
        let text = String(decoding: name, as: UTF8.self)
        guard !name.isEmpty else { return .unknown }
        if rest.isEmpty { return .variable(text, otherwise: nil, quoted: quoted) }
        guard [":-", "-", ":=", "="].contains(where: rest.hasPrefix) else { return .unknown }
        rest = String(rest.drop { ":-=".contains($0) })
        let isPlain = !rest.contains { "$`\\\"'".contains($0) }
        return isPlain ? .variable(text, otherwise: rest, quoted: quoted) : .unknown
    }

    /// The text up to the parenthesis that closes the one just read.
    private mutating func enclosed() -> String {
        let start = position
        var depth = 1
        var quote: UInt8?
        while position < bytes.count {
            let byte = peek()
            if byte == UInt8(ascii: "\n") { line += 1 }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                position += 1
            } else if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "(") {
                depth += 1
            } else if byte == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { break }
            }
            position += 1
        }
        let end = min(position, bytes.count)
        position = min(position + 1, bytes.count)
        return start < end ? String(decoding: bytes[start..<end], as: UTF8.self) : ""
    }
}
