// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// `watch` beside the sysctl configuration of a host made of files.
/// Processes, since threads, clock and files change behind it while it runs; the verdicts are tested without.
@Suite struct WatchConfigurationTests {
    private let host: FakeHost

    init() throws {
        host = try FakeHost()
    }

    private func configure(_ lines: String...) throws {
        try host.directory.write(
            "# tuned\n" + lines.joined(separator: "\n") + "\n", to: "etc/sysctl.d/90-conntrack.conf")
    }

    @Test func `a configured limit that is not applied is told with file and line`() throws {
        try configure("net.netfilter.nf_conntrack_max = 2000")
        let watch = try host.watch("--boot-grace", "0s")
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING limit_not_applied")
        #expect(line.contains("/etc/sysctl.d/90-conntrack.conf:2 says 2000"), "\(line)")
        #expect(line.contains("nf_conntrack_max is 1000, but "), "\(line)")
        try host.overwrite(host.limitFile, with: "2000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_not_applied")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a limit lowered together with its configuration is a change`() throws {
        try configure("net.netfilter.nf_conntrack_max = 1000")
        let watch = try host.watch()
        try watch.waitForLine(containing: "limit=1000")
        try configure("net.netfilter.nf_conntrack_max = 500")
        try host.overwrite(host.limitFile, with: "500")
        let line = try watch.waitForLine(on: .stderr, containing: " limit_")

        #expect(line.contains("NOTICE limit_changed"), "\(line)")
        #expect(line.contains("not below what "), "\(line)")
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a setting that is not what is configured is told with file and line`() throws {
        try host.replace(host.netfilter + "/nf_conntrack_generic_timeout", with: "600")
        try configure("net.netfilter.nf_conntrack_generic_timeout = 60")
        let outcome = try host.runWatch("--boot-grace", "0s", "--count", "2")

        #expect(outcome.standardError.contains("WARNING parameters_reverted"), "\(outcome)")
        #expect(outcome.standardError.contains("generic_timeout 60 -> 600 (kernel default), against "), "\(outcome)")
        #expect(outcome.standardError.contains("/etc/sysctl.d/90-conntrack.conf:2; fix: "), "\(outcome)")
    }

    @Test func `SIGHUP reads the configuration again`() throws {
        let watch = try host.watch("--boot-grace", "0s")
        try watch.waitForLine(containing: "limit=1000")
        try configure("net.netfilter.nf_conntrack_max = 2000")
        watch.send(signal: SIGHUP)
        try watch.waitForLine(on: .stderr, containing: "WARNING limit_not_applied")

        #expect(try watch.stop() == .exited(0))
    }

    // MARK: --absent

    @Test(arguments: [("warning", "WARNING module_absent"), ("critical", "CRITICAL module_absent")])
    func `a module that should be there is an alert until it is`(_ meaning: String, _ said: String) throws {
        let host = try FakeHost(limit: nil)
        let watch = try host.watch("--absent", meaning)
        try watch.waitForLine(on: .stderr, containing: said)
        try host.load(entries: "5", limit: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED module_absent")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a module that may be absent is not mentioned`() throws {
        let outcome = try FakeHost(limit: nil).runWatch("--absent", "ok", "--count", "3")

        #expect(outcome.status == .exited(0))
        #expect(!outcome.standardError.contains("module_absent"), "\(outcome)")
    }

    // MARK: The doctor

    @Test func `what the doctor found is in the textfile`() throws {
        let watch = try host.watch("--textfile", host.textfile, "--textfile-interval", "20ms")
        let isThere = eventually { (try? readFile(host.textfile))?.contains("\nconntrack_reload_limit 1000\n") == true }

        #expect(isThere)
        #expect(try readFile(host.textfile).contains("\nconntrack_reload_would_unload 0\n"))
        #expect(try watch.stop() == .exited(0))
    }
}
