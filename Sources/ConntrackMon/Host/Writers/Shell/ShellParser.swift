// SPDX-License-Identifier: GPL-3.0-or-later

/// Shell text by its grammar.
indirect enum ShellNode: Sendable {
    case simple(ShellCommand)
    case pipeline([ShellNode], negated: Bool)
    /// first && next || next.
    case chain(ShellNode, [(isAnd: Bool, node: ShellNode)])
    case list([ShellNode])
    case group(ShellNode, [ShellRedirect], isSubshell: Bool)
    case branch([(condition: ShellNode, body: ShellNode)], otherwise: ShellNode?)
    case loop(condition: ShellNode, isUntil: Bool, body: ShellNode)
    case each(String, [ShellWord]?, body: ShellNode)
    case choice(ShellWord, [(patterns: [ShellWord], body: ShellNode)])
    case function(String, ShellNode)
}

struct ShellRedirect: Sendable {
    var descriptor: Int?
    var mark: String
    var target: ShellWord
    var document: String?
}

struct ShellCommand: Sendable {
    var assignments: [(name: String, value: ShellWord)] = []
    var words: [ShellWord] = []
    var redirects: [ShellRedirect] = []
    var line = 1
}

/// Reads what scripts are made of. What comes after something that is not understood is not read. Pure.
struct ShellParser {
    private let tokens: [ShellToken]
    private var position = 0
    private var depth = 0
    /// Something was not understood: what follows may do anything.
    private(set) var isBroken = false

    private static let depthLimit = 40

    static func parse(_ text: String, line: Int = 1) -> ShellNode {
        var parser = ShellParser(tokens: ShellLexer.tokens(of: text, line: line))
        return parser.list(until: [])
    }

    private init(tokens: [ShellToken]) { self.tokens = tokens }

    private var token: ShellToken? { position < tokens.count ? tokens[position] : nil }

    private var reserved: String? {
        if case .word(let word)? = token?.kind { word.plain } else { nil }
    }

    private func isMark(_ text: String) -> Bool { token?.kind == .mark(text) }

    private mutating func skip(_ word: String) {
        if reserved == word || isMark(word) { position += 1 } else { isBroken = true }
    }

    private mutating func skipNewlines() {
        while token?.kind == .newline { position += 1 }
    }

    private mutating func list(until ends: Set<String>) -> ShellNode {
        var nodes: [ShellNode] = []
        depth += 1
        defer { depth -= 1 }
        if depth > ShellParser.depthLimit { isBroken = true }
        while !isBroken, let token {
            switch token.kind {
            case .newline, .mark(";"), .mark("&"):
                position += 1
                continue
            case .mark(let mark) where ends.contains(mark): return .list(nodes)
            case .word(let word):
                if let plain = word.plain, ends.contains(plain) { return .list(nodes) }
            default: break
            }
            let start = position
            nodes.append(chain())
            if position == start { isBroken = true }
        }
        return .list(nodes)
    }

    private mutating func chain() -> ShellNode {
        let first = pipeline()
        var rest: [(isAnd: Bool, node: ShellNode)] = []
        while !isBroken, isMark("&&") || isMark("||") {
            let isAnd = isMark("&&")
            position += 1
            skipNewlines()
            rest.append((isAnd, pipeline()))
        }
        return rest.isEmpty ? first : .chain(first, rest)
    }

    private mutating func pipeline() -> ShellNode {
        var negated = false
        while reserved == "!" {
            negated.toggle()
            position += 1
        }
        var parts = [command()]
        while !isBroken, isMark("|") || isMark("|&") {
            position += 1
            skipNewlines()
            parts.append(command())
        }
        return parts.count == 1 && !negated ? parts[0] : .pipeline(parts, negated: negated)
    }

    private mutating func command() -> ShellNode {
        depth += 1
        defer { depth -= 1 }
        if depth > ShellParser.depthLimit { return broken() }
        if isMark("(") {
            position += 1
            let body = list(until: [")"])
            skip(")")
            return .group(body, redirects(), isSubshell: true)
        }
        switch reserved {
        case "{":
            position += 1
            let body = list(until: ["}"])
            skip("}")
            return .group(body, redirects(), isSubshell: false)
        case "if": return wrapped(branch())
        case "while", "until": return wrapped(loop())
        case "for": return wrapped(each())
        case "case": return wrapped(choice())
        case "function":
            position += 1
            guard let name = reserved else { return broken() }
            position += 1
            if isMark("(") {
                position += 1
                skip(")")
            }
            skipNewlines()
            return .function(name, command())
        case "then", "else", "elif", "fi", "do", "done", "esac", "}": return broken()
        default: return simple()
        }
    }

    private mutating func broken() -> ShellNode {
        isBroken = true
        return .list([])
    }

    private mutating func wrapped(_ node: ShellNode) -> ShellNode {
        let redirects = redirects()
        return redirects.isEmpty ? node : .group(node, redirects, isSubshell: false)
    }

    private mutating func body(_ first: String, _ last: String) -> ShellNode {
        skipNewlines()
        if isMark(";") { position += 1 }
        skipNewlines()
        skip(first)
        let body = list(until: [last])
        skip(last)
        return body
    }

    private mutating func branch() -> ShellNode {
        var branches: [(condition: ShellNode, body: ShellNode)] = []
        var otherwise: ShellNode?
        repeat {
            position += 1
            let condition = list(until: ["then"])
            skip("then")
            branches.append((condition, list(until: ["elif", "else", "fi"])))
        } while !isBroken && reserved == "elif"
        if reserved == "else" {
            position += 1
            otherwise = list(until: ["fi"])
        }
        skip("fi")
        return .branch(branches, otherwise: otherwise)
    }

    private mutating func loop() -> ShellNode {
        let isUntil = reserved == "until"
        position += 1
        let condition = list(until: ["do"])
        return .loop(condition: condition, isUntil: isUntil, body: body("do", "done"))
    }

    private mutating func each() -> ShellNode {
        position += 1
        guard let name = reserved else { return broken() }
        position += 1
        skipNewlines()
        var words: [ShellWord]?
        if reserved == "in" {
            position += 1
            words = []
            while case .word(let word)? = token?.kind {
                words?.append(word)
                position += 1
            }
        }
        return .each(name, words, body: body("do", "done"))
    }

    private mutating func choice() -> ShellNode {
        position += 1
        guard case .word(let subject)? = token?.kind else { return broken() }
        position += 1
        skipNewlines()
        skip("in")
        var cases: [(patterns: [ShellWord], body: ShellNode)] = []
        while !isBroken {
            skipNewlines()
            if reserved == "esac" { break }
            if isMark("(") { position += 1 }
            var patterns: [ShellWord] = []
            while case .word(let word)? = token?.kind {
                patterns.append(word)
                position += 1
                if isMark("|") { position += 1 }
            }
            skip(")")
            cases.append((patterns, list(until: [";;", ";&", ";;&", "esac"])))
            if isMark(";;") || isMark(";&") || isMark(";;&") { position += 1 }
        }
        skip("esac")
        return .choice(subject, cases)
    }

    private mutating func redirects() -> [ShellRedirect] {
        var redirects: [ShellRedirect] = []
        while let redirect = redirect() { redirects.append(redirect) }
        return redirects
    }

    private mutating func redirect() -> ShellRedirect? {
        guard case .redirect(let descriptor, let mark, let document)? = token?.kind else { return nil }
        position += 1
        if let document {
            return ShellRedirect(descriptor: descriptor, mark: mark, target: ShellWord(), document: document)
        }
        guard case .word(let target)? = token?.kind else {
            isBroken = true
            return nil
        }
        position += 1
        return ShellRedirect(descriptor: descriptor, mark: mark, target: target, document: nil)
    }

    private mutating func simple() -> ShellNode {
        var command = ShellCommand()
        command.line = token?.line ?? 1
        while !isBroken, let token {
            if let redirect = redirect() {
                command.redirects.append(redirect)
                continue
            }
            if case .word(let word) = token.kind {
                position += 1
                if command.words.isEmpty, let assignment = ShellParser.assignment(word) {
                    command.assignments.append(assignment)
                    continue
                }
                command.words.append(word)
                if command.words.count == 1, word.plain == "[[" { test(&command) }
                continue
            }
            if isMark("("), command.words.count == 1, command.assignments.isEmpty, let name = command.words[0].plain {
                position += 1
                skip(")")
                skipNewlines()
                return .function(name, self.command())
            }
            break
        }
        if command.words.isEmpty, command.assignments.isEmpty, command.redirects.isEmpty { isBroken = true }
        return .simple(command)
    }

    /// [[ ... ]]: what is a mark elsewhere is a word there.
    private mutating func test(_ command: inout ShellCommand) {
        while let token, token.kind != .newline {
            position += 1
            switch token.kind {
            case .word(let word):
                command.words.append(word)
                if word.plain == "]]" { return }
            case .mark(let mark), .redirect(_, let mark, _):
                command.words.append(ShellWord(pieces: [.text(mark, quoted: false)]))
            case .newline: return
            }
        }
    }

    /// NAME=value.
    static func assignment(_ word: ShellWord) -> (name: String, value: ShellWord)? {
        guard case .text(let text, false)? = word.pieces.first, let equals = text.firstIndex(of: "=") else {
            return nil
        }
        var name = text[..<equals]
        if name.hasSuffix("+") { name.removeLast() }
        let isName = name.utf8.allSatisfy {
            $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f
        }
        guard isName, let first = name.first, !first.isNumber else { return nil }
        if text[..<equals].hasSuffix("+") { return (String(name), ShellWord(pieces: [.unknown])) }
        var value = ShellWord(pieces: Array(word.pieces.dropFirst()))
        let rest = String(text[text.index(after: equals)...])
        if !rest.isEmpty { value.pieces.insert(.text(rest, quoted: false), at: 0) }
        return (String(name), value)
    }
}
