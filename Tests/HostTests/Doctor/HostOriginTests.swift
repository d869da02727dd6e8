// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Where a host's limit looks like coming from.
@Suite struct HostOriginTests {
    private let directory: TemporaryDirectory
    private let limitFile = "proc/sys/net/netfilter/nf_conntrack_max"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("1000\n", to: limitFile)
        try directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
    }

    // MARK: Where a limit comes from

    private func origin() throws -> LimitOrigin {
        try directory.write("MemTotal:        2027280 kB\n", to: "proc/meminfo")
        try directory.write("6.1.0-56-cloud-amd64\n", to: "proc/sys/kernel/osrelease")
        return .ofHost(
            HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path))
    }

    @Test func `the kernel's default is recognised by what the host says of itself`() throws {
        let guess = try origin().guess(limit: 65_536, buckets: 65_536)

        #expect(guess == .kernelDefault(memory: 2_027_280 * 1024))
        #expect(guess?.text == "this kernel's default for 1.9 GB of memory")
    }

    @Test func `a number that nobody chooses is nobody's`() throws {
        #expect(try origin().guess(limit: 777_777, buckets: 65_536) == nil)
    }

    @Test func `a kube-proxy that starts later is another origin`() throws {
        let before = try origin()
        #expect(before.programs == [])
        try directory.write("", to: "var/lib/kubelet/config.yaml")
        try directory.write("kube-proxy\n", to: "proc/77/comm")
        try directory.write("kube-proxy\u{0}", to: "proc/77/cmdline")

        #expect(try origin().programs.map(\.name) == ["kube-proxy"])
        #expect(try origin() != before)
    }
}
