// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Where commands stand.
struct ShellPlace: Sendable {
    let file: String
    /// Lines that say something, by the number of their first one.
    private let lines: [Int: String]
    /// What shows every command, where all stand in one line.
    private let fixed: Evidence?

    init(file: String, text: String) {
        self.file = file
        fixed = nil
        lines = Dictionary(ModuleConfiguration.lines(of: text).map { ($0.number, $0.text) }) { first, _ in first }
    }

    init(_ evidence: Evidence) {
        file = evidence.file
        fixed = evidence
        lines = [:]
    }

    func evidence(_ line: Int) -> Evidence { fixed ?? Evidence(file: file, line: line, text: lines[line] ?? "") }
}

/// What a command reads or prints.
enum ShellStream: Equatable {
    case text(String)
    /// The contents of files; only the lines that hold one of the words.
    case files([String], with: [String]?)
    case unknown

    static let empty = ShellStream.text("")

    func joined(_ other: ShellStream) -> ShellStream {
        switch (self, other) {
        case (.empty, _): other
        case (_, .empty): self
        case (.text(let left), .text(let right)) where left.utf8.count < ShellRun.textLimit: .text(left + right)
        default: .unknown
        }
    }
}

/// Whether a command succeeds.
enum ShellTruth: Equatable {
    case yes, no, unknown
    /// It asks whether nf_conntrack is loaded. Where it is not, what is written does nothing: the one way can be taken
    /// for sure, and of the other one only the loads count.
    case loaded, missing

    init(_ known: Bool) { self = known ? .yes : .no }

    var negated: ShellTruth {
        switch self {
        case .yes: .no
        case .no: .yes
        case .unknown: .unknown
        case .loaded: .missing
        case .missing: .loaded
        }
    }

    var isSure: Bool { self == .yes || self == .loaded }
}

/// Follows shell text without running it, and notes what it does to conntrack. What depends on something that is not
/// known is noted as what may be done. Its work is bounded.
struct ShellRun {
    /// Stands for text that is not known.
    static let unknown: Character = "\u{1}"
    /// Longer texts, which scripts may make from short ones, are not known.
    static let textLimit = 4096

    let sources: WriterSources
    private(set) var acts: [Writer.Act] = []
    var variables: [String: String] = [:]
    /// Variables may have been set by something that could not be read.
    var isEnvironmentUnknown = false
    var place: ShellPlace
    /// The module whose install line this is: a modprobe that heeds install lines never comes to load it.
    var installed: String?
    /// nf_conntrack was unloaded by a command.
    var isUnloaded = false

    /// No program was run that could not be followed.
    var isUnderstood = true

    private var functions: [String: (body: ShellNode, place: ShellPlace)] = [:]
    /// Whether the next command is run for sure, as far as the branches around it tell.
    private var isSure = true
    /// The script, this function or this loop may have been left.
    private var doubts: Set<Leaving> = []
    private var leaving: Leaving?
    private var steps = 5000
    private var files = 12
    private var depth = 0

    enum Leaving { case exit, function, loop }
    typealias Result = (status: ShellTruth, output: ShellStream)

    init(_ sources: WriterSources, place: ShellPlace, arguments: [String] = []) {
        self.sources = sources
        self.place = place
        set(arguments: arguments)
    }

    mutating func set(arguments: [String]) {
        for (index, argument) in arguments.prefix(9).enumerated() { variables["\(index + 1)"] = argument }
        variables["#"] = "\(arguments.count)"
        variables["@"] = arguments.joined(separator: " ")
        variables["*"] = variables["@"]
        variables["0"] = place.file
    }

    var certainty: Certainty { isSure && doubts.isEmpty ? .certain : .may }

    mutating func note(_ act: Writer.Act) {
        guard acts.count < 1000 else { return }
        guard case .write(var write) = act else { return acts.append(act) }
        write.certainty = min(write.certainty, certainty)
        acts.append(.write(write))
    }

    /// Counts work that is more than a step.
    mutating func spend(_ work: Int) { steps -= work }

    mutating func leave(_ kind: Leaving) { leaving = kind }

    // MARK: Running

    @discardableResult
    mutating func run(_ node: ShellNode, input: ShellStream = .empty) -> Result {
        guard leaving == nil, steps > 0, depth < 60, sources.shell.step() else { return (.unknown, .unknown) }
        steps -= 1
        depth += 1
        defer { depth -= 1 }
        switch node {
        case .simple(let command): return run(command, input: input)
        case .list(let nodes):
            var result: Result = (.yes, .empty)
            for node in nodes where leaving == nil {
                let (status, output) = run(node, input: input)
                result = (status, result.output.joined(output))
            }
            return result
        case .pipeline(let nodes, let negated):
            var result: Result = (.yes, input)
            for node in nodes { result = run(node, input: result.output) }
            return negated ? (result.status.negated, result.output) : result
        case .chain(let first, let rest): return run(first, rest, input: input)
        case .group(let body, let redirects, let isSubshell):
            return run(group: body, redirects, isSubshell: isSubshell, input: input)
        case .branch(let branches, let otherwise): return run(branches[...], otherwise, input: input)
        case .loop(let condition, let isUntil, let body):
            let status = run(condition, input: .unknown).status
            run(loop: body, if: isUntil ? status.negated : status)
            return (.unknown, .unknown)
        case .each(let name, let words, let body): return run(each: name, words, body)
        case .choice(let subject, let cases): return run(choice: subject, cases, input: input)
        case .function(let name, let body):
            functions[name] = (body, place)
            return (.yes, .empty)
        }
    }

    /// Runs what depends on something.
    @discardableResult
    private mutating func run(_ node: ShellNode, if truth: ShellTruth, input: ShellStream = .empty) -> Result {
        guard truth != .no, leaving == nil else { return (.unknown, .empty) }
        if truth.isSure { return run(node, input: input) }
        let (wasSure, before) = (isSure, variables)
        isSure = false
        run(node, input: input)
        isSure = wasSure
        for name in Set(variables.keys).union(before.keys) where variables[name] != before[name] {
            variables[name] = String(ShellRun.unknown)
        }
        if let left = leaving, truth == .unknown { doubts.insert(left) }
        leaving = nil
        return (.unknown, .unknown)
    }

    private mutating func run(
        _ first: ShellNode, _ rest: [(isAnd: Bool, node: ShellNode)], input: ShellStream
    ) -> Result {
        var result = run(first, input: input)
        for (isAnd, node) in rest where leaving == nil {
            let truth = isAnd ? result.status : result.status.negated
            if truth == .no { continue }
            let next = run(node, if: truth, input: input)
            let status: ShellTruth = truth == .missing ? .yes : truth.isSure ? next.status : .unknown
            result = (status, result.output.joined(next.output))
        }
        return result
    }

    private mutating func run(
        group body: ShellNode, _ redirects: [ShellRedirect], isSubshell: Bool, input: ShellStream
    ) -> Result {
        let before = variables
        var result = run(body, input: self.input(redirects, or: input))
        if isSubshell {
            variables = before
            if leaving == .exit { leaving = nil }
        }
        if let line = firstLine(of: body) { result.output = write(result.output, to: redirects, line: line) }
        return result
    }

    private func firstLine(of node: ShellNode) -> Int? {
        switch node {
        case .simple(let command): command.line
        case .list(let nodes): nodes.first.flatMap(firstLine)
        case .pipeline(let nodes, _): nodes.first.flatMap(firstLine)
        case .chain(let first, _): firstLine(of: first)
        case .group(let body, _, _), .each(_, _, let body), .loop(_, _, let body): firstLine(of: body)
        case .branch(let branches, _): branches.first.flatMap { firstLine(of: $0.condition) }
        case .choice(_, let cases): cases.first.flatMap { firstLine(of: $0.body) }
        case .function(_, let body): firstLine(of: body)
        }
    }

    private mutating func run(
        _ branches: ArraySlice<(condition: ShellNode, body: ShellNode)>, _ otherwise: ShellNode?, input: ShellStream
    ) -> Result {
        // Whether the branches before were not taken.
        var reach = ShellTruth.yes
        for (condition, body) in branches {
            let status = run(condition, if: reach, input: input).status
            if reach == .yes {
                if status == .yes { return run(body, input: input) }
                run(body, if: status, input: input)
                if status != .no { reach = status.negated }
            } else {
                run(body, if: status == .no ? .no : .unknown, input: input)
                reach = .unknown
            }
        }
        guard let otherwise else { return (reach == .yes ? .yes : .unknown, reach == .yes ? .empty : .unknown) }
        return run(otherwise, if: reach, input: input)
    }

    private mutating func run(loop body: ShellNode, if truth: ShellTruth) {
        let outer = doubts.contains(.loop)
        // What is read or counted in a loop changes from turn to turn.
        run(body, if: truth, input: .unknown)
        if leaving == .loop { leaving = nil }
        if !outer { doubts.remove(.loop) }
    }

    private mutating func run(each name: String, _ words: [ShellWord]?, _ body: ShellNode) -> Result {
        let values = words.map { $0.flatMap { fields(of: $0) } } ?? [variables["@"] ?? String(ShellRun.unknown)]
        if values.contains(where: { $0.contains(ShellRun.unknown) }) {
            variables[name] = String(ShellRun.unknown)
            run(loop: body, if: .unknown)
        } else {
            for value in values.prefix(200) where leaving == nil {
                variables[name] = value
                run(loop: body, if: .yes)
            }
        }
        return (.unknown, .unknown)
    }

    private mutating func run(
        choice subject: ShellWord, _ cases: [(patterns: [ShellWord], body: ShellNode)], input: ShellStream
    ) -> Result {
        let text = self.text(of: subject)
        let isKnown = !text.contains(ShellRun.unknown)
        var reach = ShellTruth.yes
        for (patterns, body) in cases {
            let patterns = patterns.map { pattern(of: $0) }
            if isKnown, let hit = patterns.first(where: { fnmatches($0, text) }), !hit.contains(ShellRun.unknown) {
                return run(body, if: reach, input: input)
            }
            // Where the subject is not known, "*" is what remains.
            guard !isKnown || patterns.contains(where: { $0.contains(ShellRun.unknown) }) else { continue }
            run(body, if: .unknown, input: input)
            reach = .unknown
        }
        return (.unknown, .unknown)
    }

    // MARK: Commands

    private mutating func run(_ command: ShellCommand, input: ShellStream) -> Result {
        let words = command.words.flatMap { fields(of: $0, isTest: command.words[0].plain == "[[") }
        for (name, value) in command.assignments where words.isEmpty { variables[name] = text(of: value) }
        guard let first = words.first else { return (.yes, write(.empty, to: command.redirects, line: command.line)) }

        let input = self.input(command.redirects, or: input)
        let result: Result
        if let function = functions[first] {
            result = call(function, Array(words.dropFirst()), input: input)
        } else {
            result = run(words: words, line: command.line, input: input)
        }
        return (result.status, write(result.output, to: command.redirects, line: command.line))
    }

    private mutating func call(
        _ function: (body: ShellNode, place: ShellPlace), _ arguments: [String], input: ShellStream
    ) -> Result {
        let outer = (place, variables, isSure, doubts)
        place = function.place
        isSure = certainty == .certain
        doubts = []
        for index in 1...9 { variables["\(index)"] = "" }
        set(arguments: arguments)
        let result = run(function.body, input: input)
        if leaving == .function { leaving = nil }
        let mayEnd = doubts.contains(.exit)
        (place, isSure, doubts) = (outer.0, outer.2, outer.3)
        if mayEnd { doubts.insert(.exit) }
        for name in ["#", "@", "*", "0"] + (1...9).map(String.init) { variables[name] = outer.1[name] }
        return (result.status == .yes ? .unknown : result.status, result.output)
    }

    /// Follows a text in a shell of its own, as `sh -c` does.
    mutating func nested(_ text: String, line: Int, arguments: [String] = [], input: ShellStream = .empty) -> Result {
        spend(text.utf8.count / 64)
        let outer = (place, variables)
        place = ShellPlace(place.evidence(line))
        set(arguments: arguments)
        let result = run(ShellParser.parse(text), input: input)
        if leaving == .exit { leaving = nil }
        (place, variables) = outer
        return result
    }

    /// Follows a script of the host's; sourced, in this same shell.
    mutating func follow(_ path: String, arguments: [String], isSourced: Bool) -> Result {
        guard files > 0, depth < 40, path.hasPrefix("/"), !path.contains(ShellRun.unknown),
            let text = sources.tree.script(path, isSourced: isSourced)
        else {
            if isSourced { isEnvironmentUnknown = true }
            isUnderstood = false
            return (.unknown, .unknown)
        }
        files -= 1
        guard isSourced || ScriptText.concernsUs(text), sources.shell.read(text) else { return (.unknown, .unknown) }
        let outer = (place, variables, functions)
        place = ShellPlace(file: path, text: text)
        if !isSourced || !arguments.isEmpty { set(arguments: arguments) }
        let result = run(ShellParser.parse(text))
        place = outer.0
        if isSourced {
            if leaving == .function { leaving = nil }
            doubts.remove(.function)
        } else {
            (variables, functions) = (outer.1, outer.2)
            if leaving == .exit { leaving = nil }
        }
        return (result.status == .yes ? .unknown : result.status, .unknown)
    }
}
