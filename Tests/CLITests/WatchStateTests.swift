// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// `watch --state`: stopped, and started again on a host that has changed.
/// Processes, since what one leaves on the disk is what the next begins with.
@Suite struct WatchStateTests {
    private let host: FakeHost
    private let state: String

    init() throws {
        host = try FakeHost()
        state = host.directory.path(of: "state")
        try boot("one")
    }

    private func boot(_ id: String) throws {
        try host.directory.write(id + "\n", to: "proc/sys/kernel/random/boot_id")
    }

    /// Watches for three intervals; what was said, and the textfile it left.
    private func watch(_ arguments: String...) throws -> (said: String, metrics: String) {
        let places = ["--state", state, "--textfile", host.textfile, "--count", "3"]
        let outcome = try host.watchCommand(arguments: places + arguments).run()
        #expect(outcome.status == .exited(0), "\(outcome)")
        return (outcome.standardError, try readFile(host.textfile))
    }

    private func drops(_ cause: String, _ count: Int) -> String {
        "\nconntrack_limit_drops_total{cause=\"\(cause)\"} \(count)\n"
    }

    @Test func `a limit that fell meanwhile is told, with its cause in the metrics`() throws {
        #expect(try !watch().said.contains("limit_"))
        try host.overwrite(host.limitFile, with: "500")
        let (said, metrics) = try watch()

        #expect(said.contains("CRITICAL limit_dropped"))
        #expect(said.contains(": nf_conntrack_max 1000 -> 500 (while not watching ("), "\(said)")
        #expect(said.contains("): written); "), "\(said)")
        #expect(metrics.contains(drops("while_down", 1)), "\(metrics)")
    }

    @Test func `the third start tells the same fall, and counts it no more`() throws {
        _ = try watch()
        try host.overwrite(host.limitFile, with: "500")
        _ = try watch()
        _ = try watch()
        let (said, metrics) = try watch()

        #expect(said.contains("CRITICAL limit_dropped"))
        #expect(said.ranges(of: "known since before this start").count == 1, "\(said)")
        #expect(metrics.contains(drops("while_down", 0)))
    }

    @Test func `another boot is a reboot`() throws {
        _ = try watch()
        try boot("two")
        try host.overwrite(host.limitFile, with: "500")
        let (said, metrics) = try watch("--boot-grace", "0s")

        #expect(said.contains("1000 -> 500 (while not watching ("), "\(said)")
        #expect(said.contains("): rebooted); "), "\(said)")
        #expect(metrics.contains(drops("reboot", 1)))
        #expect(metrics.contains(drops("while_down", 0)))
    }

    @Test func `another load of the module is told as one`() throws {
        _ = try watch()
        try host.unload()
        try host.load(entries: "1", limit: "500")
        // The folder made anew must not have the old one's inode.
        try host.directory.write("0\n", to: "sys/module/other/refcnt")
        _ = rename(host.directory.path(of: "sys/module/nf_conntrack"), host.directory.path(of: "sys/module/old"))
        try host.directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
        let (said, metrics) = try watch()

        #expect(said.contains("): module reloaded); "), "\(said)")
        #expect(metrics.contains(drops("while_down", 1)))
    }

    @Test func `a raised limit is a change and the new normal one`() throws {
        _ = try watch()
        try host.overwrite(host.limitFile, with: "2000")
        let said = try watch().said
        #expect(said.contains("NOTICE limit_changed"))
        #expect(said.contains("): written: nf_conntrack_max 1000 -> 2000\n"), "\(said)")
        #expect(!said.contains("limit_dropped"))

        #expect(try !watch().said.contains("limit_"))
    }

    @Test func `settings written meanwhile are a change, after a reboot they are lost`() throws {
        let setting = host.netfilter + "/nf_conntrack_generic_timeout"
        try host.replace(setting, with: "120")
        _ = try watch()
        try host.replace(setting, with: "60")
        let written = try watch().said
        #expect(written.contains("NOTICE parameter_changed"), "\(written)")
        #expect(written.contains("generic_timeout 120 -> 60; written"), "\(written)")
        try boot("two")
        try host.replace(setting, with: "600")
        let reverted = try watch("--boot-grace", "0s").said

        #expect(reverted.contains("WARNING parameters_reverted"), "\(reverted)")
        #expect(reverted.contains("generic_timeout 60 -> 600 (kernel default); fix:"), "\(reverted)")
        #expect(!reverted.contains("parameter_changed"))
    }

    // MARK: The file

    @Test func `it is written at once, for everybody to read, and again at the end`() throws {
        let watch = try host.watch("--state", state, "--textfile", host.textfile, "--textfile-interval", "1h")
        let isThere = eventually { (try? readFile(state))?.contains("\"accepted\":1000") == true }
        #expect(isThere)
        // The doctor's first report has the files written once more, whenever it comes.
        let isWhole = eventually { (try? readFile(host.textfile))?.contains("\nconntrack_reload_limit 1000\n") == true }
        #expect(isWhole)
        var status = stat()
        #expect(stat(state, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o644)
        // No change of an alert, so only its end has it written.
        try host.overwrite(host.countFile, with: "321")
        try watch.waitForLine(containing: "entries=321 ")
        #expect(try readFile(state).contains("\"peak_day\":100"))

        #expect(try watch.stop() == .exited(0))
        #expect(try readFile(state).contains("\"peak_day\":321"))
    }

    @Test(arguments: ["", "garbage", #"{"version":1,"accepted":-1}"#])
    func `one that is damaged is set aside with a warning, and another begun`(_ text: String) throws {
        try writeFile(text, to: state)
        let said = try watch().said

        #expect(said.contains("WARNING monitor "), "\(said)")
        #expect(said.contains("--state \(state) is damaged: set aside as \(state).damaged, starting anew"), "\(said)")
        #expect(try readFile(state + ".damaged") == text)
        #expect(try readFile(state).contains("\"accepted\":1000"))
    }

    @Test func `one of another version names both`() throws {
        _ = try watch()
        try writeFile(readFile(state).replacing("\"version\":1", with: "\"version\":7"), to: state)

        #expect(try watch().said.contains("is of version 7, this program knows 1: set aside as"))
    }

    @Test func `one about another network namespace is not compared`() throws {
        _ = try watch()
        let text = try readFile(state)
        let other = text.replacing(/"netns_inode":\d+/, with: "\"netns_inode\":1")
        #expect(other != text)
        try writeFile(other, to: state)
        try host.overwrite(host.limitFile, with: "500")
        let said = try watch().said

        #expect(said.contains("--state \(state) is about another network namespace: starting anew"), "\(said)")
        #expect(!said.contains("limit_dropped"))
    }

    @Test func `one that cannot be written any more is said`() throws {
        try host.directory.write("", to: "out/keep")
        let folder = host.directory.path(of: "out")
        let watch = try host.watch("--state", folder + "/state", "--textfile-interval", "20ms")
        try watch.waitForLine(containing: "limit=1000")
        #expect(rename(folder, folder + ".away") == 0)
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")

        // Whatever it was about when the folder went: making the new file, or putting it in the old one's place.
        #expect(
            ["state: cannot create \(folder)/.state.", "state: cannot replace \(folder)/state"]
                .contains(where: line.contains), "\(line)")
        #expect(try watch.stop() == .exited(0))
    }
}
