// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What is to be said of the events.
@Suite struct EventNewsTests {
    private static let missing = EventStatus.unavailable(EventObstacle(.netlinkAbsent), expected: true)
    private static let refused = EventStatus.unavailable(EventObstacle(.join, EPERM), expected: false)
    private static let failed = EventStatus.failed(EventObstacle(.receive, EIO))
    private static let howToHave =
        "nf_conntrack_netlink is not loaded; to have events: modprobe nf_conntrack_netlink, or watch --load-modules"
    private static let notPermitted =
        "cannot join the conntrack event groups: Operation not permitted; events need CAP_NET_ADMIN:"
        + " setcap cap_net_admin+ep conntrack-mon"

    private func news(_ source: SourceChoice = .auto) -> EventNews {
        EventNews(kernel: "5.4.0-42-generic", source: source)
    }

    @Test(
        arguments: [
            (.off, nil, nil, nil),
            (
                .listening(.netlink(receiveBuffer: 4096, notBPF: nil)),
                "events by netlink, read in batches (receive buffer 4096 bytes)", nil, "netlink"
            ),
            (
                .listening(.netlink(receiveBuffer: 4096, notBPF: EPERM)),
                "events by netlink, read in batches (receive buffer 4096 bytes); not by bpf: no CAP_BPF", nil, "netlink"
            ),
            (
                .listening(.bpf(ring: 8_388_608)), "events by bpf, through a ring in the kernel of 8388608 bytes", nil,
                "bpf"
            ),
            (missing, "no events: \(howToHave); table samples, statistics and alerts go on", nil, nil),
            (refused, nil, notPermitted, nil),
            (
                failed, "events ended: cannot receive from the conntrack event socket: Input/output error",
                "cannot receive from the conntrack event socket: Input/output error", nil
            ),
        ] as [(EventStatus, String?, String?, String?)])
    func `each status is a line or a fault, once`(
        _ status: EventStatus, _ line: String?, _ reason: String?, _ source: String?
    ) {
        var news = news()

        #expect(news.take(status) == line)
        #expect(news.take(status) == nil)
        #expect(news.degradation?.reason == reason)
        #expect(news.method?.source == source)
    }

    @Test(
        arguments: [
            (.netlinkAbsent, 0, howToHave),
            (.open, EPROTONOSUPPORT, "cannot open a netfilter netlink socket: Protocol not supported"),
            (.join, EPERM, notPermitted),
            (.leave, EINVAL, "cannot leave the conntrack event groups: Invalid argument"),
            (.joinAgain, ENOMEM, "cannot join again the conntrack event groups: Cannot allocate memory"),
            (
                .attachRing, ELIBACC,
                "cannot read events by bpf (libbpf.so.1 is not installed): Can not access a needed shared library"
            ),
        ] as [(EventObstacle.Operation, Int32, String)])
    func `each obstacle has its words`(_ operation: EventObstacle.Operation, _ code: Int32, _ words: String) {
        var news = news()
        _ = news.take(.unavailable(EventObstacle(operation, code), expected: true))

        #expect(news.unavailable == words)
    }

    @Test func `who asked for bpf by name is told both capabilities`() {
        var news = news(.bpf)
        _ = news.take(.unavailable(EventObstacle(.attachRing, EPERM), expected: false))

        #expect(
            news.degradation?.reason == "cannot read events by bpf (no CAP_BPF): Operation not permitted; events need"
                + " CAP_NET_ADMIN and CAP_BPF: setcap cap_net_admin,cap_bpf+ep conntrack-mon")
    }

    @Test func `what keeps a ring from being had is said in the words of its cure`() {
        let news = news()
        #expect(news.whyNoRing(EPERM) == "no CAP_BPF")
        #expect(news.whyNoRing(EACCES) == "no CAP_BPF")
        #expect(news.whyNoRing(ELIBACC) == "libbpf.so.1 is not installed")
        #expect(news.whyNoRing(EINVAL) == "kernel 5.4.0-42-generic has no ring buffer")
        #expect(news.whyNoRing(ENOSYS) == "kernel 5.4.0-42-generic has no bpf(2)")
        #expect(news.whyNoRing(ENOMEM) == "Cannot allocate memory")
    }

    @Test func `a socket that fails and works again is told both times, and its fault ends`() {
        var news = news()
        let lines = [.listening(.bpf(ring: 1)), Self.failed, Self.failed, .listening(.bpf(ring: 1))]
            .map { news.take($0) != nil }

        #expect(lines == [true, true, false, true])
        #expect(news.degradation == nil)
    }

    @Test func `another reason is another line`() {
        var news = news()
        _ = news.take(Self.missing)
        let line = news.take(.unavailable(EventObstacle(.open, EMFILE), expected: true))

        #expect(line?.contains("Too many open files") == true)
    }
}
