// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackMon

/// What is read seldom, and what is to be said of the events.
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
