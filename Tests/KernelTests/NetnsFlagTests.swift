// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// `--netns`: started outside, it looks inside.
/// A process, since it starts in one namespace and enters another.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("ip"))))
struct NetnsFlagTests {
    private func binary() throws -> String { try Repository.builtBinary() }

    @Test func `with a path it shows the inside's table and events, labelled`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch("--netns", namespace.path)
        #expect(try namespace.makeEntries(count: 321) == 321)
        try watch.waitForStatus("321 entries and events") { $0.entries == 321 && $0.events?.new == 321 }
        try watch.waitForMetrics("321 entries") { $0.sum("conntrack_entries") == 321 }
        let running = try watch.metrics()
        let stopped = try watch.stop()

        #expect(running.series.count > 50)
        #expect(running.series.keys.allSatisfy { $0.labels["netns"]?.isEmpty == false })
        #expect(stopped.series.keys.allSatisfy { $0.labels["netns"]?.isEmpty == false })
        #expect(stopped.sum("conntrack_mon_up") == 0)
        let inside = try Command(binary(), "check", "--netns", namespace.path).run()
        #expect(inside.standardOutput.hasPrefix("CONNTRACK OK - 321 of "), "\(inside)")
    }

    @Test func `without it no metric has the label`() throws {
        let watch = try Watch(in: TestNamespace())
        try watch.waitForMetrics("an entry count") { $0["conntrack_entries"] != nil }
        let metrics = try watch.metrics()

        #expect(metrics.series.count > 50)
        #expect(metrics.series.keys.allSatisfy { $0.labels["netns"] == nil })
    }

    @Test(arguments: ["conntrack-mon-no-such-namespace", "/proc/self/no/such/ns", "/etc/hostname"])
    func `a namespace that does not exist is one clear line and exit code 1`(_ name: String) throws {
        for command in ["watch", "status"] {
            let outcome = try Command(binary(), command, "--netns", name).run()

            #expect(outcome.status == .exited(1))
            #expect(outcome.standardOutput == "")
            let lines = outcome.standardError.split(separator: "\n")
            #expect(lines.count == 1, "\(outcome)")
            #expect(lines.first?.contains(name) == true, "\(outcome)")
        }
        let check = try Command(binary(), "check", "--netns", name).run()
        #expect(check.status == .exited(3))
        #expect(check.standardOutput.hasPrefix("CONNTRACK UNKNOWN - "), "\(check)")
        #expect(check.standardOutput.contains(name))
    }

    @Test(.enabled(if: Requirement.met(.initialRoot)))
    func `with a name it is what ip netns calls it`() throws {
        let name = "conntrack-mon-test-\(getpid())"
        let added = try Command("ip", "netns", "add", name).run()
        try #require(added.status == .exited(0), "\(added)")
        defer { _ = try? Command("ip", "netns", "delete", name).run() }
        let watch = try Watch("--netns", name)
        let made = try Command("conntrack", arguments: Self.insert).inside(name).run()
        #expect(made.status == .exited(0), "\(made)")

        let status = try watch.waitForStatus("one entry and its event") { $0.entries == 1 && $0.events?.new == 1 }
        #expect(status.netns == name)
        try watch.waitForMetrics("one entry") { $0["conntrack_entries", ["netns": name]] == 1 }
        let metrics = try watch.metrics()
        #expect(metrics.series.keys.allSatisfy { $0.labels["netns"] == name })
        try watch.stop()
        #expect(watch.process.standardError.contains(" netns=\(name): "))
    }

    private static let insert = [
        "-I", "-s", "10.0.0.1", "-d", "192.0.2.1", "-p", "udp", "--sport", "1024", "--dport", "9", "-t", "600",
    ]
}

extension Command {
    /// The same command in a namespace that has a name.
    fileprivate func inside(_ name: String) -> Command {
        Command("ip", arguments: ["netns", "exec", name, program] + arguments)
    }
}
