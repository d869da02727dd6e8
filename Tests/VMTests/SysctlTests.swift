// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials
internal import TestKit
internal import Testing

/// What we read in a host's sysctl configuration, against the programs that apply it.
/// A virtual machine, since the programs that apply it write the settings of the whole host.
@MainActor @Suite(.serialized, .enabled(if: Machine.canBoot))
struct SysctlTests {
    @Test(arguments: Tree.names)
    func `what is configured is what systemd-sysctl leaves, and nothing else`(_ name: String) throws {
        let tree = try Tree(name)
        // Whatever else is configured this kernel does not have.
        var expected = tree.before
        for row in tree.report.settings where expected[row.name] != nil {
            if let configured = row.configured { expected[row.name] = "\(configured)" }
        }
        let differences = tree.systemd.filter { expected[$0.key] != $0.value }
        #expect(differences == [:], "configured: \(expected.filter { differences[$0.key] != nil })")
        #expect(expected.count == tree.systemd.count)
    }

    @Test(arguments: Tree.names)
    func `each setting that sysctl --system leaves otherwise is found, and no other`(_ name: String) throws {
        let tree = try Tree(name)
        let found = tree.report.findings.filter { $0.id == "procps_differs" }
            .map { String($0.summary.prefix { $0 != ":" }) }
        let others = tree.systemd.filter { tree.procps[$0.key] != $0.value }
        #expect(found.sorted() == others.keys.sorted())
    }
}

/// A tree of files in Tests/VM/sysctl.sh, and what became of it.
@MainActor
private struct Tree {
    struct Report: Decodable {
        struct Row: Decodable {
            var name: String
            var configured: UInt64?
        }
        struct Finding: Decodable {
            var id: String
            var summary: String
        }
        var settings: [Row]
        var findings: [Finding]
    }

    let report: Report
    /// Settings by name, before anybody applied the files.
    let before: [String: String]
    /// After systemd-sysctl.
    let systemd: [String: String]
    /// After `sysctl --system`.
    let procps: [String: String]

    init(_ name: String) throws {
        let lines = try Machine.transcript(of: name, in: .sysctl, on: .backports).split(separator: "\n")
        for line in lines where line.hasPrefix("FAILED: ") { throw TestKitError("\(name): \(line)") }
        let json = try #require(lines.first { $0.hasPrefix("{") })
        report = try JSONDecoder().decode(Report.self, from: Data(json.utf8))
        func settings(_ state: String) throws -> [String: String] {
            let words = lines.map { $0.split(separator: " ").map(String.init) }.filter { $0.first == state }
            let pairs = words.filter { $0.count == 3 }.map { ($0[1], $0[2]) }
            try #require(pairs.count > 20 && pairs.count == words.count)
            return Dictionary(uniqueKeysWithValues: pairs)
        }
        before = try settings("before")
        systemd = try settings("systemd")
        procps = try settings("procps")
    }

    nonisolated static let names: [String] = {
        let text = (try? readFile("\(Repository.root)/Tests/VM/sysctl.sh")) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix("tree ") }.map { String($0.dropFirst(5)) } + hosts
    }()

    /// The hosts that doctor is tried on, as far as they have sysctl configuration.
    private nonisolated static var hosts: [String] {
        let paths = try? FileManager.default.subpathsOfDirectory(atPath: "\(Repository.root)/Tests/Fixtures/doctor")
        let configuration = #/(.+?)/(?:etc|run|lib|usr/lib|usr/local/lib)/sysctl\.(?:conf|d)/#
        let names = (paths ?? []).compactMap { path in
            path.wholeMatch(of: configuration).map { "host \($0.1)" }
        }
        return Set(names).sorted()
    }
}
