// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What is asked of a host that is made of files.
@Suite struct HostTests {
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

    private func paths(root: Bool = true) -> HostPaths {
        HostPaths(
            procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: root ? directory.path : "")
    }

    private func configured(root: Bool = true, isInitialNamespace: Bool = true) -> ConfiguredSettings? {
        let slow = SlowHost(paths(root: root), isInitialNamespace: isInitialNamespace)
        guard case .configuration(let configured)? = slow.read(.configuration) else { return nil }
        return configured
    }

    @Test func `a reading of the settings has their whole names, sorted`() {
        var host = Host(paths())
        guard case .settings(let values)? = host.read(.settings) else {
            Issue.record("settings are answered at once")
            return
        }

        #expect(
            values.map { "\($0.name) \($0.value)" } == [
                "nf_conntrack_generic_timeout 600", "nf_conntrack_max 1000",
            ])
    }

    @Test func `a saved tree is not live, and its own configuration is about it`() {
        #expect(!paths().isLive)
        #expect(paths().configurationRoot == directory.path)
        #expect(paths(root: false).configurationRoot == nil)
        #expect(HostPaths().isLive)
        #expect(HostPaths().configurationRoot == "")
    }

    @Test func `what may take its time is not answered by the host that is asked at once, and the other way round`() {
        var host = Host(paths())
        let slow = SlowHost(paths(), isInitialNamespace: true)
        let wants: [Want] = [
            .settings, .kernel(TableFaults(nil)), .log, .configuration, .origin, .doctor,
        ]

        #expect(wants.map { host.read($0) != nil } == wants.map(\.isQuick))
        #expect(wants.map { slow.read($0) != nil } == wants.map { !$0.isQuick })
    }

    @Test func `what is configured is named with file and line`() {
        let configured = configured()

        #expect(configured?.limit?.limit == 2000)
        #expect(configured?.limit?.place.hasSuffix("/etc/sysctl.d/90-conntrack.conf:1") == true)
        #expect(configured?.parameters.mapValues(\.value) == ["generic_timeout": 60])
        #expect(configured?.parameters["generic_timeout"]?.place.hasSuffix("90-conntrack.conf:2") == true)
    }

    @Test func `in another network namespace only the limit is the host's`() {
        let configured = configured(isInitialNamespace: false)

        #expect(configured?.limit?.limit == 2000)
        #expect(configured?.parameters.isEmpty == true)
    }

    @Test func `without a root no configuration is about this host`() {
        #expect(configured(root: false) == nil)
    }

    @Test func `a configured value that is no number is none`() throws {
        try directory.write("net.netfilter.nf_conntrack_max = lots\n", to: "etc/sysctl.d/90-conntrack.conf")

        #expect(configured()?.limit == nil)
    }
}
