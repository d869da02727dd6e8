// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials
internal import Glibc
internal import Synchronization
internal import TestKit
internal import Testing

/// `top` and `conntrack -L` on the same table.
/// Processes, since `conntrack -L` is one, and the dump is the real kernel's.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct TopTests {
    /// What `top --json` says, its rows by their key's words in the order of `fields`.
    struct Top {
        var entries: Int
        var limit: UInt64?
        var interrupted: Bool
        var rows: [String: Int] = [:]
        var unreplied: [String: Int] = [:]
        var assured: [String: Int] = [:]

        /// A member of a key.
        private struct Word: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let number = try? value.decode(Int.self) {
                    text = "\(number)"
                } else if let truth = try? value.decode(Bool.self) {
                    text = "\(truth)"
                } else {
                    text = try value.decode(String.self)
                }
            }
        }

        private struct Row: Decodable {
            var key: [String: Word]
            var entries: Int
            var unreplied: Int
            var assured: Int
        }

        private struct Document: Decodable {
            var entries: Int
            var limit: UInt64?
            var interrupted: Bool
            var rows: [Row]
        }

        init(_ text: String, _ fields: [String]) throws {
            let document = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
            (entries, limit, interrupted) = (document.entries, document.limit, document.interrupted)
            for row in document.rows {
                let words = fields.map { row.key[$0]?.text ?? "-" }.joined(separator: " ")
                #expect(rows[words] == nil, "\(words) twice")
                rows[words] = row.entries
                unreplied[words] = row.unreplied
                assured[words] = row.assured
            }
        }
    }

    private func top(_ namespace: TestNamespace, _ by: String, _ fields: [String], _ more: String...) throws -> Top {
        let command = Command(try Repository.builtBinary(), arguments: ["top", "--json", "-n", "0", "--by", by] + more)
        return try Top(namespace.output(of: command), fields)
    }

    /// Entries of both families, with zones, marks and NAT, made by conntrack(8); and some that real flows left.
    private func variousEntries() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        _ = try namespace.tcpFlows(.ipv4, count: 3)
        _ = try namespace.tcpFlows(.ipv6, count: 2)
        _ = try namespace.udpFlows(.ipv6, count: 4)
        _ = try namespace.echo(.ipv4, identifier: 7)
        _ = try namespace.echo(.ipv6, identifier: 7)
        _ = try namespace.sendRaw(.ipv4, protocol: 253, payload: [1, 2, 3, 4])
        let states = [
            "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
        ]
        for (index, state) in states.enumerated() {
            for client in 0...index {
                let assured = client % 2 == 0 ? "-u ASSURED" : "-u SEEN_REPLY"
                try insert(
                    namespace,
                    "-s 10.0.\(client).\(index) -d 192.0.2.\(index % 3) -p tcp --sport \(1000 + index)"
                        + " --dport \(client % 2 == 0 ? 443 : 80) --state \(state) -t 600 -m \(client % 3) \(assured)")
            }
        }
        for zone in 1...3 {
            try insert(namespace, "-s 2001:db8:\(zone)::1 -d 2001:db8::2 -p udp --sport 9 --dport 53 -t 600 -w \(zone)")
            try insert(
                namespace, "-s 10.9.0.\(zone) -d 192.0.2.9 -p udp --sport 9 --dport 53 -t 600 --src-nat 203.0.113.7")
            try insert(
                namespace, "-s 10.9.1.\(zone) -d 192.0.2.9 -p udp --sport 9 --dport 53 -t 600 --dst-nat 10.1.1.\(zone)")
        }
        try insert(
            namespace,
            "-s 10.9.2.1 -d 192.0.2.9 -p tcp --sport 9 --dport 80 --state ESTABLISHED -t 600 --src-nat 203.0.113.8"
                + " --dst-nat 10.1.1.1")
        return namespace
    }

    private func insert(_ namespace: TestNamespace, _ arguments: String) throws {
        _ = try namespace.output(
            of: Command("conntrack", arguments: ["-I"] + arguments.split(separator: " ").map(String.init)))
    }

    /// A line of `conntrack -L`, read without any of our own decoding.
    private struct Listed {
        let words: [Substring]

        private func values(_ key: String) -> [String] {
            words.filter { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
        }

        private var `protocol`: String { words[0] == "unknown" ? String(words[1]) : String(words[0]) }
        private var isUnreplied: Bool { words.contains("[UNREPLIED]") }
        var isAssured: Bool { words.contains("[ASSURED]") }

        /// What `field` of the JSON should be.
        func value(_ field: String) -> String {
            let (sources, destinations) = (values("src"), values("dst"))
            let (snat, dnat) = (sources[0] != destinations[1], destinations[0] != sources[1])
            return switch field {
            case "source": sources[0]
            case "destination": destinations[0]
            case "nat_source": snat ? destinations[1] : "-"
            case "nat_destination": dnat ? sources[1] : "-"
            case "nat": snat ? (dnat ? "both" : "source") : dnat ? "destination" : "none"
            case "port": values("dport").first ?? "-"
            case "type": values("type").first ?? "-"
            case "code": values("code").first ?? "-"
            case "protocol": self.protocol
            case "zone": values("zone").first ?? "0"
            case "mark": values("mark").first ?? "0"
            case "assured": isAssured ? "true" : "false"
            case "state":
                self.protocol == "tcp"
                    ? String(words[3]) : isUnreplied ? "UNREPLIED" : isAssured ? "ASSURED" : "SEEN_REPLY"
            default: "?"
            }
        }
    }

    private func listed(_ namespace: TestNamespace) throws -> [Listed] {
        var lines: [Listed] = []
        for family in ["ipv4", "ipv6"] {
            let text = try namespace.output(of: Command("conntrack", "-L", "-f", family))
            lines += text.split(separator: "\n").map { Listed(words: $0.split(separator: " ")) }
        }
        return lines
    }

    private static let keys: [(by: String, fields: [String])] = [
        ("source", ["source"]), ("destination", ["destination"]), ("port", ["protocol", "port", "type", "code"]),
        ("state", ["state"]), ("protocol", ["protocol"]), ("zone", ["zone"]), ("mark", ["mark"]),
        ("assured", ["assured"]), ("nat", ["nat"]), ("nat-source", ["nat_source"]),
        ("nat-destination", ["nat_destination"]), ("state,mark,zone", ["state", "mark", "zone"]),
        ("nat-source,destination,port", ["nat_source", "destination", "protocol", "port", "type", "code"]),
    ]

    @Test func `by every key its groups are those that conntrack's own list has`() throws {
        let namespace = try variousEntries()
        let lines = try listed(namespace)
        #expect(lines.count > 55)
        for (by, fields) in Self.keys {
            let top = try top(namespace, by, fields)
            let groups = Dictionary(grouping: lines) { line in fields.map(line.value).joined(separator: " ") }

            #expect(top.rows == groups.mapValues(\.count), "\(by)")
            #expect(top.assured == groups.mapValues { $0.count(where: \.isAssured) }, "\(by)")
            #expect(top.unreplied.values.reduce(0, +) > 0)
            #expect(top.entries == lines.count)
            #expect(!top.interrupted)
        }
        #expect(try top(namespace, "zone", ["zone"]).limit == namespace.limit())
    }

    @Test func `addresses are cut to prefixes of their families`() throws {
        let namespace = try variousEntries()
        let top = try top(namespace, "source", ["source"], "--prefix4", "16", "--prefix6", "32")

        #expect(top.rows["10.0.0.0/16"] == 36)
        #expect(top.rows["10.9.0.0/16"] == 7)
        #expect(top.rows["2001:db8::/32"] == 3)
        #expect(top.rows["127.0.0.0/16"].map { $0 >= 5 } == true, "\(top.rows)")
        #expect(top.rows["::/32"].map { $0 >= 7 } == true, "\(top.rows)")
        #expect(top.rows.count == 5)
    }

    @Test func `an empty table has no group`() throws {
        let namespace = try TestNamespace()
        let text = try namespace.output(of: Command(Repository.builtBinary(), "top"))

        #expect(text.hasPrefix("0 of "), "\(text)")
        #expect(text.split(separator: "\n").count == 1, "\(text)")
    }

    @Test func `200,000 entries are counted to the last one`() throws {
        let namespace = try TestNamespace()
        let made = try namespace.makeEntries(count: 200_000)
        let top = try top(namespace, "source,port", ["source", "protocol", "port"])

        #expect(made > 0)
        #expect(top.entries == Int(made))
        #expect(top.rows.values.reduce(0, +) == Int(made))
        #expect(top.rows["10.0.0.0 udp 9"] == 16384)
        #expect(top.rows.count == 13)
    }

    @Test func `with --netns it counts inside`() throws {
        let namespace = try TestNamespace()
        #expect(try namespace.makeEntries(count: 321) == 321)
        let outcome = try Command(Repository.builtBinary(), "top", "--netns", namespace.path).run()

        #expect(outcome.standardOutput.hasPrefix("321 of "), "\(outcome)")
        #expect(outcome.standardOutput.contains("321  100.0%     100.0%    0.00%  10.0.0.0\n"), "\(outcome)")
    }

    @Test func `entries that come and go at full speed hinder no dump`() throws {
        let namespace = try TestNamespace()
        let kept = try namespace.makeEntries(count: 20_000)
        let path = namespace.path
        let churn = try Churn(namespace)
        defer { churn.stop() }
        for _ in 0..<5 {
            let before = churn.rounds
            let outcome = try Command(
                Repository.builtBinary(), "top", "--json", "-n", "0", "--by", "source", "--netns", path
            ).run()
            #expect(outcome.status == .exited(0), "\(outcome)")
            let top = try Top(outcome.standardOutput, ["source"])
            // The first 16,384 that stayed are one source's, the others' come and go.
            #expect(top.rows["10.0.0.0"] == 16384)
            #expect(top.entries >= Int(kept))
            #expect(eventually { churn.rounds > before }, "nothing came and went")
        }
    }

    @Test(.enabled(if: Requirement.met(.initialRoot, .program("setpriv"))))
    func `without CAP_NET_ADMIN one line says what is missing`() throws {
        let folder = try TemporaryDirectory()
        let binary = folder.path(of: "conntrack-mon")
        let copy = try Command("cp", Repository.builtBinary(), binary).run()
        #expect(copy.status == .exited(0))
        #expect(chmod(folder.path, 0o755) == 0 && chmod(binary, 0o755) == 0)
        let outcome = try Command("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", binary, "top")
            .run(in: TestNamespace())

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardOutput == "")
        let said = "top needs CAP_NET_ADMIN: setcap cap_net_admin+ep conntrack-mon\n"
        #expect(outcome.standardError.hasSuffix(said), "\(outcome)")
        #expect(outcome.standardError.split(separator: "\n").count == 1, "\(outcome)")
    }
}

/// Makes and deletes entries of a namespace as fast as it goes, on a thread of its own.
private final class Churn: Sendable {
    private let isStopped = Atomic(false)
    private let count = Atomic(0)
    private let ended = Mutex(false)
    private let namespace: TestNamespace

    init(_ namespace: TestNamespace) throws {
        self.namespace = namespace
        var thread = pthread_t()
        let body = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { pointer in
                pointer.map { Unmanaged<Churn>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        guard error == 0 else {
            body.release()
            throw SystemError("pthread_create", code: error)
        }
        pthread_detach(thread)
    }

    /// How often all were made and deleted.
    var rounds: Int { count.load(ordering: .relaxed) }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            _ = try? namespace.makeEntries(first: 100_000, count: 5000)
            _ = try? namespace.deleteEntries(first: 100_000, count: 5000)
            count.add(1, ordering: .relaxed)
        }
        ended.withLock { $0 = true }
    }

    /// Returns when the thread is through.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        _ = eventually { ended.withLock { $0 } }
    }
}
