// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackMon

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

@Suite struct EventNewsTests {
    private static let missing = EventStatus.unavailable(reason: "not loaded", expected: true)
    private static let refused = EventStatus.unavailable(reason: "no permission", expected: false)
    private static let failed = EventStatus.failed(SystemError("receive from", "the socket", 5))

    @Test(
        arguments: [
            (.off, nil, nil, nil),
            (
                .listening(.netlink(receiveBuffer: 4096, notBPF: nil)),
                "events by netlink, read in batches (receive buffer 4096 bytes)", nil, "netlink"
            ),
            (
                .listening(.netlink(receiveBuffer: 4096, notBPF: "no CAP_BPF")),
                "events by netlink, read in batches (receive buffer 4096 bytes); not by bpf: no CAP_BPF", nil, "netlink"
            ),
            (
                .listening(.bpf(ring: 8_388_608)), "events by bpf, through a ring in the kernel of 8388608 bytes", nil,
                "bpf"
            ),
            (missing, "no events: not loaded; table samples, statistics and alerts go on", nil, nil),
            (refused, nil, "no permission", nil),
            (
                failed, "events ended: cannot receive from the socket: Input/output error",
                "cannot receive from the socket: Input/output error", nil
            ),
        ] as [(EventStatus, String?, String?, String?)])
    func `each status is a line or a fault, once`(
        _ status: EventStatus, _ line: String?, _ reason: String?, _ source: String?
    ) {
        var news = EventNews()

        #expect(news.take(status) == line)
        #expect(news.take(status) == nil)
        #expect(news.degradation?.reason == reason)
        #expect(news.method?.source == source)
    }

    @Test func `what keeps a ring from being had is said in the words of its cure`() {
        #expect(EventSocket.whyNoRing(EPERM) == "no CAP_BPF")
        #expect(EventSocket.whyNoRing(ELIBACC) == "libbpf.so.1 is not installed")
        #expect(EventSocket.whyNoRing(EINVAL).hasSuffix(" has no ring buffer"))
        #expect(EventSocket.whyNoRing(ENOSYS).hasSuffix(" has no bpf(2)"))
        #expect(EventSocket.whyNoRing(ENOMEM) == "Cannot allocate memory")
    }

    @Test func `a socket that fails and works again is told both times, and its fault ends`() {
        var news = EventNews()
        let lines = [.listening(.bpf(ring: 1)), Self.failed, Self.failed, .listening(.bpf(ring: 1))]
            .map { news.take($0) != nil }

        #expect(lines == [true, true, false, true])
        #expect(news.degradation == nil)
    }

    @Test func `another reason is another line`() {
        var news = EventNews()
        _ = news.take(Self.missing)

        #expect(news.take(.unavailable(reason: "built without", expected: true))?.contains("built without") == true)
    }
}
