// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What is kept across restarts, as it lies on the disk.
@Suite struct StateFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path(of: "state")
    }

    private static var full: StateDocument {
        StateDocument(
            timestamp: 1_795_499_222.31, bootId: "4c1f5a7e-0000-4000-8000-000000000000", moduleInode: 10201,
            netnsInode: 4_026_531_840, accepted: 1_048_576,
            fall: .init(from: 1_048_576, to: 65_536, cause: "module_reload", story: "module reloaded 2.0s ago"),
            parameters: ["tcp_timeout_established": 86_400, "log_invalid": 0],
            reverted: ["tcp_timeout_established": 432_000], waived: 2_000_000, peakDay: 412_003,
            peakKnownForSeconds: 86_400,
            firing: [
                .init(
                    name: "usage_high", level: "critical", since: 1_795_499_000.5, what: "900 of 1000 entries",
                    known: 1_795_499_222.25),
                .init(
                    name: "monitor_degraded", subject: "textfile", level: "warning", since: 1_795_499_100,
                    what: "textfile: No space left on device", known: 1_795_499_222),
            ])
    }

    private func load() throws -> StateDocument? {
        if case .state(let document) = try StateFile.load(path) { document } else { nil }
    }

    /// What set the file aside; nil when it was taken or was not there.
    private func fault() throws -> String? {
        guard case .setAside(let aside, let why) = try StateFile.load(path) else { return nil }
        #expect(aside == path + ".damaged")
        return why
    }

    @Test func `what is written is read back whole`() throws {
        try replaceFile(at: path, with: Self.full.json())

        #expect(try load() == Self.full)
    }

    @Test func `what is not known stays unknown`() throws {
        let document = StateDocument(timestamp: 0, accepted: 0, parameters: [:], peakKnownForSeconds: 0)
        try directory.write(document.json(), to: "state")

        #expect(try load() == document)
    }

    @Test func `it is a line of JSON with names that people can read`() {
        let json = Self.full.json()

        #expect(json.hasSuffix("}\n"))
        #expect(json.count { $0 == "\n" } == 1)
        for name in ["version", "boot_id", "module_inode", "netns_inode", "accepted", "peak_known_for_seconds"] {
            #expect(json.contains("\"\(name)\":"), "\(name)")
        }
    }

    @Test func `a file of the time before a field was added is taken`() throws {
        try directory.write(
            #"{"version":1,"timestamp":1,"accepted":5,"parameters":{},"peak_known_for_seconds":0}"#, to: "state")

        #expect(try load()?.accepted == 5)
    }

    @Test func `where there is none there is none`() throws {
        let isNone = if case .none = try StateFile.load(path) { true } else { false }

        #expect(isNone)
    }

    private static let good =
        #"{"version":1,"timestamp":1,"accepted":5,"parameters":{"a":1},"peak_known_for_seconds":0}"#

    @Test(
        arguments: [
            "", "\n", "garbage", "null", "[]", "{}", "5", "\u{0}\u{1}\u{2}", "{\"version\":1}",
            good.replacing(":5", with: ":-1"), good.replacing(":5", with: ":1e300"), good.replacing(":5", with: ":NaN"),
            good.replacing(":5", with: ":\"5\""), good.replacing(":5", with: ":null"),
            good.replacing(":5", with: ":5.5"),
            good.replacing(":5", with: ":18446744073709551616"), good.replacing("\"a\":1", with: "\"a\":-1"),
            good.replacing("\"timestamp\":1", with: "\"timestamp\":NaN"),
            good.replacing("\"timestamp\":1", with: "\"timestamp\":1e999"),
            String(good.dropLast()), good + good, String(repeating: "[", count: 100_000),
            String(repeating: "{\"a\":", count: 100_000), good + String(repeating: "x", count: 2 << 20),
        ])
    func `a damaged file is set aside and kept for whoever wants to look`(_ text: String) throws {
        try directory.write(text, to: "state")

        #expect(try fault() == "is damaged")
        #expect(access(path, F_OK) != 0)
        #expect(try directory.read("state.damaged").utf8.count == text.utf8.count)
    }

    @Test func `bytes that are no text are damage`() throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167) }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)

        #expect(try fault() == "is damaged")
    }

    @Test(arguments: [0, 2, -1, 99])
    func `another version is set aside, and both are named`(_ version: Int) throws {
        try directory.write(Self.good.replacing("\"version\":1", with: "\"version\":\(version)"), to: "state")

        #expect(try fault() == "is of version \(version), this program knows 1")
    }

    @Test func `numbers that are in range but make no sense are survived`() throws {
        var document = Self.full
        document.timestamp = -1e300
        document.accepted = .max
        document.peakDay = .max
        document.peakKnownForSeconds = 1e300
        document.fall = .init(from: .max, to: 0, cause: "nobody knows", story: "a\nb")
        try directory.write(document.json(), to: "state")
        let loaded = try #require(try load())
        let past = LimitWatch.Past(loaded, boot: BootIdentity(), now: Moment.at(0).wall)

        #expect(past.story == "while not watching (forever): module unloaded")
        #expect(past.fall?.cause == .unknown)
        var judge = Judge(settings: RuleSettings(), identity: Reports.identity)
        judge.restore(past, ParameterWatch.Kept(), peak: nil, peakKnownFor: .zero)
        let said = judge.observe(.at(0, limit: 1000))
        #expect(said.map { "\($0.word) \($0.name)" } == ["CRITICAL limit_dropped"])
    }

    // MARK: Alerts

    @Test func `what fires is told to the next start as it was kept`() {
        let alert = KeptAlert(
            name: .monitorDegraded, subject: "hook", level: .warning, since: Moment.at(-5).wall, what: "hook: \"a\"\n",
            known: Moment.at(0).wall)

        #expect(KeptAlert(StateDocument.Alert(alert)) == alert)
    }

    @Test func `alerts and levels that nobody knows are passed over`() {
        var alert = StateDocument.Alert(name: "usage_high", level: "warning", since: 1, what: "", known: 1)
        #expect(KeptAlert(alert) != nil)
        alert.level = "fatal"
        #expect(KeptAlert(alert) == nil)
        alert.level = "warning"
        alert.name = "of_tomorrow"

        #expect(KeptAlert(alert) == nil)
    }

    @Test(arguments: [-1e300, -1, 0, 1e300])
    func `times that make no sense are survived`(_ seconds: Double) throws {
        var document = Self.full
        document.firing = [.init(name: "usage_high", level: "warning", since: seconds, what: "", known: seconds)]
        try directory.write(document.json(), to: "state")
        let loaded = try #require(try load()?.firing?.first)
        var judge = Judge(settings: RuleSettings(), identity: Reports.identity)
        judge.restore(firing: [try #require(KeptAlert(loaded))], at: .at(0))

        #expect(judge.firing.map(\.name) == [.usageHigh])
        #expect(judge.firing.first?.since.monotonic ?? Moment.at(1).monotonic <= Moment.at(0).monotonic)
    }

    @Test func `one that is no file cannot be read, and stays`() throws {
        mkdir(path, 0o755)

        #expect(throws: ConntrackModel.SystemError.self) { try StateFile.load(path) }
        #expect(access(path, F_OK) == 0)
    }

    // MARK: What became of the host

    @Test(
        arguments: [
            ("as before", "a", 1, .whileDown, false, "written"),
            ("another boot", "b", 1, .reboot, true, "rebooted"),
            ("another boot without the module yet", "b", nil, .reboot, true, "rebooted"),
            ("another load", "a", 2, .whileDown, true, "module reloaded"),
            ("not loaded any more", "a", nil, .whileDown, true, "module unloaded"),
            ("boot not known", nil, 1, .whileDown, false, "written"),
        ] as [(String, String?, UInt64?, DropCause, Bool, String)])
    func `boot and module tell what happened meanwhile`(
        _ what: String, _ bootId: String?, _ inode: UInt64?, _ cause: DropCause, _ isReload: Bool, _ word: String
    ) {
        var document = Self.full
        document.timestamp = Moment.at(-252).wall.seconds
        document.bootId = "a"
        document.moduleInode = 1
        let boot = BootIdentity(bootId: bootId, moduleInode: inode)
        let past = LimitWatch.Past(document, boot: boot, now: Moment.at(0).wall)

        #expect(past.cause == cause, "\(what)")
        #expect(past.isReload == isReload, "\(what)")
        #expect(past.story == "while not watching (252.0s): \(word)", "\(what)")
    }

    @Test func `a module that was loaded meanwhile began with its defaults`() {
        var document = Self.full
        document.moduleInode = nil
        let past = LimitWatch.Past(
            document, boot: BootIdentity(bootId: document.bootId, moduleInode: 7), now: Moment.at(0).wall)

        #expect(past.isReload)
    }

    @Test func `a fall's story does not grow with every restart`() {
        var document = Self.full
        var stories: [String] = []
        for _ in 1...3 {
            let past = LimitWatch.Past(document, boot: BootIdentity(), now: Moment.at(0).wall)
            stories.append(past.fall?.text ?? "")
            document.fall = past.fall.map(StateDocument.Fall.init)
        }

        let story = "module reloaded 2.0s ago; known since before this start"
        #expect(stories == [story, story, story])
    }

    @Test func `the identity of a boot comes from procfs and sysfs`() throws {
        try directory.write("4c1f5a7e\n", to: "proc/sys/kernel/random/boot_id")
        try directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
        let (procfs, sysfs) = (directory.path(of: "proc"), directory.path(of: "sys"))
        let boot = BootIdentity.now(HostPaths(procfs: procfs, sysfs: sysfs))
        var status = stat()

        #expect(boot.bootId == "4c1f5a7e")
        #expect(stat(sysfs + "/module/nf_conntrack", &status) == 0)
        #expect(boot.moduleInode == UInt64(status.st_ino))
        #expect(BootIdentity.now(HostPaths(procfs: sysfs, sysfs: procfs)) == BootIdentity())
    }
}
