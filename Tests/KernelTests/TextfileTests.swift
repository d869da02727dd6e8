// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// The textfile as those read it for whom it is made.
/// Processes, since promtool and node_exporter are, and the statistics come from the real kernel.
@Suite(
    .enabled(
        if: Requirement.met(
            .networkNamespace, .program("nft"), .program("promtool"), .program("prometheus-node-exporter"))))
struct TextfileTests {
    private func busyNamespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        _ = try namespace.tcpFlows(.ipv4, count: 2)
        _ = try namespace.udpFlows(.ipv6, count: 2)
        return namespace
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("stat \(path)") }
        return status.st_mode & 0o7777
    }

    @Test func `promtool finds nothing wrong with it, running or stopped`() throws {
        let namespace = try busyNamespace()
        // A netns label and statistics of each CPU: everything that can be in it.
        let watch = try Watch(in: namespace, "--netns", namespace.path, "--per-cpu", "--warn", "0.0001%")
        try watch.waitForMetrics("an alert") { $0.fires(netns: namespace, "usage_high", "warning") == false }
        #expect(try namespace.makeEntries(count: 100) == 100)
        try watch.waitForMetrics("100 new events") { $0.events(netns: namespace, "new") == 100 }
        let running = try watch.metrics().text
        try watch.stop()
        let stopped = try watch.metrics().text

        for text in [running, stopped] {
            let outcome = try Command("promtool", "check", "metrics", input: text).run()
            #expect(outcome.status == .exited(0), "\(outcome)")
            #expect(outcome.standardError == "")
        }
        #expect(running != stopped)
    }

    @Test func `its mode is 0644, whatever the umask`() throws {
        let folder = try TemporaryDirectory()
        let command = [try Repository.builtBinary()] + Watch.arguments(folder) + ["--count", "2"]
        let outcome = try Command("sh", arguments: ["-c", "umask 077 && exec \"$@\"", "sh"] + command)
            .run(in: TestNamespace())

        #expect(outcome.status == .exited(0), "\(outcome)")
        #expect(try mode(folder.path(of: "conntrack.prom")) == 0o644)
        #expect(try mode(folder.path(of: "status.json")) == 0o644)
    }

    @Test func `it is never read half-written`() throws {
        let watch = try Watch(
            in: busyNamespace(), "--interval", "10ms", "--sample", "10ms", "--textfile-interval", "10ms")
        var reads = 0
        var different: Set<Double> = []
        // As many reads, and over as many replacements.
        let done = try eventually(within: .seconds(30)) {
            for _ in 0..<50 {
                let text = try readFile(watch.textfile)
                reads += 1
                #expect(text.hasSuffix("\n"))
                let last = text.split(separator: "\n").last ?? ""
                try #require(last.hasPrefix("conntrack_mon_last_sample_timestamp_seconds "), "\(text)")
                different.insert(try #require(Double(last.split(separator: " ")[1])))
            }
            return reads >= 1000 && different.count >= 50
        }
        #expect(done, "\(reads) reads of \(different.count) files")
        try watch.stop()
        let left = try readNames(watch.folder.path)
        #expect(left == ["conntrack.prom", "status.json"])
    }

    private func readNames(_ folder: String) throws -> [String] {
        try Command("ls", "-A", folder).run().standardOutput.split(separator: "\n").map(String.init).sorted()
    }

    @Test func `node_exporter takes it in and serves it`() throws {
        let namespace = try busyNamespace()
        let watch = try Watch(in: namespace)
        let count = try namespace.makeEntries(count: 77) + 4
        #expect(count == 81)
        try watch.waitForMetrics("\(count) entries") { $0["conntrack_entries"] == Double(count) }
        let exporter = try Command(
            "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
            "--collector.textfile.directory=\(watch.folder.path)", "--web.listen-address=127.0.0.1:9100"
        ).start(in: namespace)

        // The port is the namespace's own: nobody else can have it.
        let fetch = Command(
            "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9100 && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
        )
        var answer = ""
        let served = try eventually(within: .seconds(20)) {
            answer = try fetch.run(in: namespace).standardOutput
            return answer.contains(" 200 OK")
        }
        #expect(served, "\(answer)\n\(exporter.transcript)")
        let body = try #require(answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) })
        let metrics = try Metrics(body)
        #expect(metrics["node_textfile_scrape_error"] == 0)
        #expect(metrics["conntrack_mon_up"] == 1)
        // The fetch itself is tracked: its entry is there too, once it has been sampled.
        #expect(try #require(metrics["conntrack_entries"]) >= Double(count))
        #expect(body.contains("# HELP conntrack_entries Entries in the connection-tracking table"))
    }
}

extension Metrics {
    /// The label that `--netns` PATH gives: the path names nothing, so the namespace's inode.
    private static func label(_ namespace: TestNamespace) -> String {
        var status = stat()
        return stat(namespace.path, &status) == 0 ? "net:[\(status.st_ino)]" : ""
    }

    fileprivate func fires(netns: TestNamespace, _ alert: String, _ level: String) -> Bool? {
        self["conntrack_alert_firing", ["alert": alert, "level": level, "netns": Self.label(netns)]].map { $0 == 1 }
    }

    fileprivate func events(netns: TestNamespace, _ event: String) -> Double? {
        self["conntrack_events_total", ["event": event, "netns": Self.label(netns)]]
    }
}
