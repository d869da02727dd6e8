// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials
internal import TestKit
internal import Testing

/// A way in which a host holds nf_conntrack or puts settings back, as Tests/VM/foretold.sh printed it: what doctor foretold,
/// and what the kernel then had.
struct Foretold {
    struct Report: Decodable {
        struct Row: Decodable {
            var name: String
            var afterReload: UInt64?
            /// The upper end, where a program only may write.
            var afterReloadMost: UInt64?
            var afterReboot: UInt64?
            var afterRebootMost: UInt64?
        }
        var reloadWouldUnload: Bool?
        var reloadLimit: UInt64?
        var why: [String]
        var settings: [Row]
    }

    /// Settings by name.
    typealias Settings = [String: Int64]

    let name: String
    let report: Report
    /// What the stop of each service did: "iptables unloads".
    let stops: [String]
    /// Before anything was restarted.
    let before: Settings
    /// After a restart that spared the module.
    let restart: Settings?
    /// After the module was unloaded and loaded again, and the firewall started.
    let reload: Settings?

    @MainActor
    init(_ name: String, in scenarios: Scenarios, on kernel: Kernel) throws {
        let lines = try Machine.transcript(of: name, in: scenarios, on: kernel).split(separator: "\n")
        for line in lines where line.hasPrefix("FAILED: ") { throw TestKitError("\(name): \(line)") }
        self.name = name
        let json = try #require(lines.first { $0.hasPrefix("{") })
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        report = try decoder.decode(Report.self, from: Data(json.utf8))
        stops = lines.filter { $0.hasPrefix("stop ") }.map { String($0.dropFirst(5)).replacing(":", with: "") }
        before = try #require(Foretold.settings("before", in: lines))
        restart = Foretold.settings("restart", in: lines)
        reload = Foretold.settings("reload", in: lines)
    }

    /// The settings printed for a state, "STATE NAME VALUE"; nil where it did not come to that.
    static func settings(_ state: String, in lines: [Substring]) -> Settings? {
        let words = lines.map { $0.split(separator: " ") }.filter { $0.count == 3 && $0[0] == state }
        guard words.count > 20 else { return nil }
        return Dictionary(words.compactMap { word in Int64(word[2]).map { (String(word[1]), $0) } }) { _, last in last }
    }

    /// Whether a restart of any service unloaded the module.
    var unloads: Bool { stops.contains { $0.hasSuffix(" unloads") } }

    /// The names of the ways of a file in Tests/VM.
    static func ways(_ file: String) -> [String] {
        let text = (try? readFile("\(Repository.root)/Tests/VM/\(file).sh")) ?? ""
        let names = text.matches(of: #/(?m)^(?:way|if boot) ([^ ;\n]+)/#).map { String($0.1) }
        return names.filter { $0 != "default" }
    }
}

extension Foretold {
    /// What was wrong with a column: KEY foretold X, was Y. A row for a setting that the kernel does not have is not asked;
    /// one that says nothing is not wrong where nothing changes.
    func faults(
        of column: String, _ least: (Report.Row) -> UInt64?, _ most: (Report.Row) -> UInt64?, against truth: Settings
    ) -> [String] {
        report.settings.compactMap { row in
            guard let was = truth[row.name] else { return nil }
            guard let from = least(row) else {
                return before[row.name] == was ? nil : "\(column) of \(row.name) foretold nothing, was \(was)"
            }
            let to = most(row) ?? from
            guard was < Int64(clamping: from) || was > Int64(clamping: to) else { return nil }
            return "\(column) of \(row.name) foretold \(from)\(to == from ? "" : " to \(to)"), was \(was)"
        }
    }

    /// What is not as the kernel has it by default, for people.
    static func text(_ settings: Settings, default usual: Settings) -> String {
        let differences = settings.filter { usual[$0.key] != $0.value }.sorted { $0.key < $1.key }
        if differences.isEmpty { return "defaults" }
        return differences.map { "\($0.key.replacing("nf_conntrack_", with: ""))=\($0.value)" }.joined(separator: " ")
    }
}
