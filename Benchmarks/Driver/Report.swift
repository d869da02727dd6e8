// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// What was measured, part by part, and where it is written.
final class Report {
    private var outcomes: [Goal: Outcome] = [:]
    private var tables: [(name: String, title: String, markdown: String)] = []
    /// Figures that belong to no row, a line each.
    private var remarks: [String] = []

    static let path = "\(Repository.root)/docs/performance.md"

    func set(_ goal: Goal, _ outcome: Outcome) {
        outcomes[goal] = outcome
    }

    func add(_ name: String, _ title: String, _ table: Table) {
        tables.append((name, title, table.markdown))
    }

    func remark(_ text: String) {
        remarks.append(text)
    }

    /// The rows that were asked for; with all, also those that no part set.
    private func numbers(whole: Bool) -> String {
        var table = Table(header: ["what", "against", "bar", "seen", ""])
        for goal in Goal.allCases {
            if let outcome = outcomes[goal] {
                table.rows.append(goal.row(outcome))
            } else if whole {
                table.rows.append(goal.row(.notMeasured("its part failed")))
            }
        }
        return table.rows.isEmpty ? "" : table.markdown
    }

    private var remarkList: String { remarks.map { "- \($0)\n" }.joined() }

    /// Everything to standard output.
    func print(_ plan: Plan) {
        let numbers = numbers(whole: plan.isWhole)
        if !numbers.isEmpty { Swift.print("\n## Numbers to reach\n\n\(numbers)") }
        for table in tables { Swift.print("\n## \(table.title)\n\n\(table.markdown)") }
        if !remarks.isEmpty { Swift.print("\n\(remarkList)") }
    }

    /// Replaces the tables in docs/performance.md that were measured as a whole.
    func write(_ plan: Plan, machine: Machine) throws {
        var parts = tables.map { (name: $0.name, content: "\n\(machine.line(plan))\n\n\($0.markdown)\n") }
        if plan.isWhole {
            let content = "\n\(machine.line(plan))\n\n\(numbers(whole: true))\n\(remarkList)\n"
            parts.append((name: "numbers", content: content))
        }
        var document = Document(try readFile(Report.path))
        for part in parts {
            guard let next = document.replacing(part.name, with: part.content) else {
                throw TestKitError("\(Report.path) has no part <!-- bench: \(part.name) --> to write to")
            }
            document = next
        }
        try writeFile(document.text, to: Report.path)
        if !parts.isEmpty { note("wrote to docs/performance.md: \(parts.map(\.name).joined(separator: ", "))") }
    }
}

/// What it was measured on.
struct Machine {
    let kernel: String
    let processor: String
    let cores: Int
    let day: String
    let version: String
    /// How busy the machine was when it began: on a busy one even ratios are noisy.
    let load: String

    init() throws {
        var name = utsname()
        uname(&name)
        kernel = withUnsafePointer(to: &name.release) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let model = try readFile("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        processor = model.flatMap { $0.split(separator: ":").last }.map { String($0.drop { $0 == " " }) } ?? "CPU"
        var now = time(nil)
        var date = tm()
        gmtime_r(&now, &date)
        let month = "0\(date.tm_mon + 1)".suffix(2)
        day = "\(date.tm_year + 1900)-\(month)-\("0\(date.tm_mday)".suffix(2))"
        let outcome = try Command(Programs.monitor, "--version").run()
        load = try readFile("/proc/loadavg").split(separator: " ").first.map(String.init) ?? "?"
        version = String(outcome.standardOutput.filter { $0 != "\n" })
    }

    func line(_ plan: Plan) -> String {
        "Measured \(day): conntrack-mon \(version), kernel \(kernel), \(cores) × \(processor), \(plan.rounds) rounds,"
            + " load average \(load) at the start."
    }
}

/// Progress, to standard error.
func note(_ text: String) {
    let line = Array("# \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
