// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// A part of the benchmarks that can be run alone.
enum Part: String, CaseIterable {
    case reader, peer, harm, engine, top, memory, idle, limit, module, check, binary, decode, sweep

    /// The sweep is for choosing constants, not for watching them.
    static let usual = allCases.filter { $0 != .sweep }
}

/// What was asked for.
struct Plan {
    var parts = Part.usual
    /// Rounds of each comparison, in each of which all sides are run in turn.
    var rounds = Plan.usualRounds
    /// Events that memory is watched over.
    var events = 20_000_000
    /// Tables of the document are replaced.
    var writes = true

    static let usualRounds = 15

    /// ONLY=name,name ROUNDS=n EVENTS=n; with fewer rounds than usual nothing is written. Throws one line.
    init(_ variables: [String: String]) throws {
        if let only = variables["ONLY"], !only.isEmpty {
            parts = try only.split(separator: ",").map { name in
                guard let part = Part(rawValue: String(name)) else {
                    throw Misuse(
                        "ONLY: \(name) is none of \(Part.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return part
            }
        }
        rounds = try Plan.number(variables, "ROUNDS") ?? rounds
        events = try Plan.number(variables, "EVENTS") ?? events
        writes = rounds >= Plan.usualRounds
    }

    private static func number(_ variables: [String: String], _ name: String) throws -> Int? {
        guard let text = variables[name], !text.isEmpty else { return nil }
        guard let number = Int(text), number > 0 else { throw Misuse("\(name): \(text) is not a number above 0") }
        return number
    }

    /// Whether all that the table of the numbers holds was measured.
    var isWhole: Bool { Part.usual.allSatisfy(parts.contains) }
}

/// Wrong use, in one line.
struct Misuse: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
