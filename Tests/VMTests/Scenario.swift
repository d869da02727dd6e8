// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

/// Runs a scenario and compares what it printed with Tests/Golden/vm/`name`.txt. Returns what it measured, in
/// milliseconds of the machine's time.
@MainActor @discardableResult
func expectScenario(
    _ name: String, in scenarios: Scenarios, on kernel: Kernel, at location: SourceLocation = #_sourceLocation
) throws -> [String: Int] {
    var measured: [String: Int] = [:]
    var text = ""
    for line in try Machine.transcript(of: name, in: scenarios, on: kernel).split(separator: "\n") {
        if let match = line.firstMatch(of: #/^measured: (.*): (-?[0-9]+) ms$/#) {
            measured[String(match.1)] = Int(match.2)
            print("\(kernel.rawValue), \(match.1): \(match.2) ms")
        } else {
            if line.hasPrefix("FAILED: ") {
                Issue.record("kernel \(kernel.rawValue), \(name): \(line)", sourceLocation: location)
            }
            text += masked(line) + "\n"
        }
    }
    if let difference = try Golden.compare(text, with: "vm/\(name).txt") {
        Issue.record("kernel \(kernel.rawValue)\n\(difference)", sourceLocation: location)
    }
    return measured
}

/// Without what differs from run to run, from kernel to kernel and from version to version.
private func masked(_ line: Substring) -> String {
    String(line)
        .replacing(#/^[0-9-]{10}T[0-9:.]{12}Z /#, with: "TIME ")
        .replacing(#/\b(gone for|reloaded|last|after|watching) (\(?)[0-9][0-9.hms]*s\b/#) { "\($0.1) \($0.2)DURATION" }
        .replacing(#/\bconntrack-mon [0-9.]+ /#, with: "conntrack-mon VERSION ")
        .replacing(#/\[[0-9]+\]/#, with: "[INODE]")
        .replacing(#/[0-9.]+ [MG]B of memory/#, with: "SIZE of memory")
}
