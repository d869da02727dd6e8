// SPDX-License-Identifier: GPL-3.0-or-later

/// A program of a host that sets nf_conntrack_max by its own settings: kube-proxy, tuned, pve-firewall. Whoever raises the
/// limit beside it is undone by it.
public struct LimitProgram: Equatable, Sendable {
    /// "kube-proxy".
    public var name: String
    /// What it sets the limit to; nil where that can't be seen.
    public var value: UInt64?
    /// It never lowers the limit.
    public var onlyRaises: Bool
    /// It does so for sure; false where its version, or whether it runs, can't be seen.
    public var isCertain: Bool
    /// It does so again and again, not only when it starts.
    public var isRepeated: Bool
    /// What to change in it: "set conntrack.maxPerCore: 0 and conntrack.min: 0 in ...".
    public var cure: String

    /// From its parts.
    public init(
        name: String, value: UInt64?, onlyRaises: Bool = false, isCertain: Bool = true, isRepeated: Bool = false,
        cure: String
    ) {
        self.name = name
        self.value = value
        self.onlyRaises = onlyRaises
        self.isCertain = isCertain
        self.isRepeated = isRepeated
        self.cure = cure
    }

    /// Whether it puts another value in the place of this one.
    package func undoes(_ limit: UInt64) -> Bool {
        guard let value else { return !onlyRaises }
        return onlyRaises ? isLess(limit, value) : value != limit
    }

    /// "kube-proxy sets 131072 when it starts".
    package var text: String {
        let value = value.map(limitText) ?? "a value that is not to be seen"
        return "\(name) \(isCertain ? "sets" : "may set") \(value) \(isRepeated ? "again and again" : "when it starts")"
    }
}

extension LimitOrigin {
    /// The first program that puts a lower limit, or one that can't be seen, in the place of this one.
    package func undoer(of limit: UInt64) -> LimitProgram? {
        programs.first { program in
            program.undoes(limit) && (program.value.map { isLess($0, limit) } ?? true)
        }
    }

    /// What to do for a limit to be `wanted` and to stay so. Never what a program of this host undoes without a word of that
    /// program, nor what fights one that writes again and again.
    /// - Parameters:
    ///   - write: What sets it now.
    ///   - guess: Who chose the limit that is live.
    package func cure(_ write: String, toHave wanted: UInt64, instead guess: Guess?) -> String {
        if case .program(let program)? = guess, program.undoes(wanted) {
            return "\(program.cure), or \(program.name) writes it again"
        }
        guard let program = undoer(of: wanted) else { return write }
        return program.isRepeated
            ? "\(program.cure): \(program.text)" : "\(write); and \(program.cure): \(program.text)"
    }
}
