// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// Instructions the decoder takes for a message, by message: the same in each run.
enum DecodePart {
    static func run(_ report: Report) throws {
        let script = "\(Repository.root)/Benchmarks/decode/run.sh"
        guard access(script, X_OK) == 0 else { return note("decode: no Benchmarks/decode/run.sh") }
        note("decode, under valgrind")
        let outcome = try Command(script).run(within: .seconds(300))
        guard outcome.status == .exited(0) else { throw TestKitError("decode/run.sh: \(outcome)") }
        var table = Table(header: ["message", "instructions"])
        for line in outcome.standardOutput.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { table.rows.append(words.map(String.init)) }
        }
        report.add("decode", "Instructions to decode a message", table)
    }
}
