// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackMon

/// What is read seldom.
@Suite struct SettingsReaderTests {
    private let directory: TemporaryDirectory
    private let netfilter = "proc/sys/net/netfilter/"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("1000\n", to: netfilter + "nf_conntrack_max")
        try directory.write("600\n", to: netfilter + "nf_conntrack_generic_timeout")
        try directory.write(
            "net.netfilter.nf_conntrack_max = 2000\nnet.netfilter.nf_conntrack_generic_timeout = 60\n",
            to: "etc/sysctl.d/90-conntrack.conf")
    }

    private func reader(root: Bool = true, isInitialNamespace: Bool = true) -> SettingsReader {
        SettingsReader(
            procfs: directory.path(of: "proc"), root: root ? directory.path : nil,
            isInitialNamespace: isInitialNamespace)
    }

    private func time(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    @Test func `settings are read at once, then every 10 s, and whenever it is asked for`() {
        var reader = reader()
        let due = [(0.0, false), (0.1, false), (9.9, false), (10, false), (10.1, false), (10.2, true), (20, false)]
            .map { reader.settings(at: time($0), now: $1) != nil }

        #expect(due == [true, false, false, true, false, true, false])
    }

    @Test func `a reading is without the limit and without the prefix; the metrics have both`() {
        var reader = reader()

        #expect(reader.settings(at: time(0), now: false) == ["generic_timeout": 600])
        #expect(
            reader.parameters.map { "\($0.name) \($0.value)" } == [
                "nf_conntrack_generic_timeout 600", "nf_conntrack_max 1000",
            ])
    }

    @Test func `the configuration is read at once, then every minute, and whenever it is asked for`() {
        var reader = reader()
        let due = [(0.0, false), (59.9, false), (60, false), (60.1, true), (120, false), (120.1, false)]
            .map { reader.configuration(at: time($0), now: $1) != nil }

        #expect(due == [true, false, true, true, false, true])
    }

    @Test func `what is configured is named with file and line`() {
        var reader = reader()
        let configured = reader.configuration(at: time(0), now: false)

        #expect(configured?.limit?.limit == 2000)
        #expect(configured?.limit?.place.hasSuffix("/etc/sysctl.d/90-conntrack.conf:1") == true)
        #expect(configured?.parameters.mapValues(\.value) == ["generic_timeout": 60])
        #expect(configured?.parameters["generic_timeout"]?.place.hasSuffix("90-conntrack.conf:2") == true)
    }

    @Test func `in another network namespace only the limit is the host's`() {
        var reader = reader(isInitialNamespace: false)
        let configured = reader.configuration(at: time(0), now: false)

        #expect(configured?.limit?.limit == 2000)
        #expect(configured?.parameters.isEmpty == true)
    }

    @Test func `without a root no configuration is about this host`() {
        var reader = reader(root: false)

        #expect(reader.configuration(at: time(0), now: true) == nil)
    }

    @Test func `a configured value that is no number is none`() throws {
        try directory.write("net.netfilter.nf_conntrack_max = lots\n", to: "etc/sysctl.d/90-conntrack.conf")
        var reader = reader()

        #expect(reader.configuration(at: time(0), now: true)?.limit == nil)
    }
}
