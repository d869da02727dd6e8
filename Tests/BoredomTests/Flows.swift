// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc

/// Flows that are alike: how many begin, how long they live, and how long their entries stay after that.
struct Flows: Sendable {
    let name: String
    /// New ones a second.
    var rate: RateCurve
    /// From the first packet to the last, on the average, in seconds.
    var lives = 0.0
    /// From the last packet until the entry is expired: TIME_WAIT, nf_conntrack_udp_timeout and the like.
    var timeout: Double
    /// A packet came back, and more: not evicted by a full table.
    var isAssured = true
    /// Over before anybody looks: nothing of them is left but their events.
    var isRefused = false
    /// Through this host, not to it or from it: its own TCP does not count them.
    var isForwarded = false
    /// That are open from the start until something closes them.
    var open = 0
    var `protocol` = IPPROTO_TCP
    /// How many hosts they come from, and where they go to.
    var sources: ClosedRange<UInt8> = 1...20
    var destination = "198.51.100.7"
    var port: UInt16 = 443

    /// Requests over TCP that are closed in order: TIME_WAIT holds each for two minutes more.
    static func requests(_ name: String, _ rate: RateCurve, lives: Double = 3, port: UInt16 = 443) -> Flows {
        Flows(name: name, rate: rate, lives: lives, timeout: 120, port: port)
    }

    /// Connections that stay until something closes them.
    static func connections(_ name: String, open: Int, port: UInt16 = 443) -> Flows {
        Flows(name: name, rate: .steady(0), timeout: 120, open: open, port: port)
    }

    /// Queries and their answers: nf_conntrack_udp_timeout.
    static func queries(_ name: String, _ rate: RateCurve) -> Flows {
        Flows(name: name, rate: rate, timeout: 30, isAssured: false, protocol: IPPROTO_UDP, port: 53)
    }

    /// Over UDP and longer than two seconds: nf_conntrack_udp_timeout_stream.
    static func streams(_ name: String, _ rate: RateCurve, lives: Double, port: UInt16 = 443) -> Flows {
        Flows(name: name, rate: rate, lives: lives, timeout: 120, protocol: IPPROTO_UDP, port: port)
    }

    /// SYNs that nobody answers: UNREPLIED, for nf_conntrack_tcp_timeout_syn_sent.
    static func unanswered(_ name: String, _ rate: RateCurve) -> Flows {
        Flows(name: name, rate: rate, timeout: 120, isAssured: false, sources: 1...254, port: 8443)
    }

    /// SYNs to closed ports: the entry goes with the RST that comes back.
    static func refused(_ name: String, _ rate: RateCurve) -> Flows {
        Flows(name: name, rate: rate, timeout: 0, isAssured: false, isRefused: true, sources: 1...254, port: 23)
    }

    /// Connections whose ends forget them without a FIN, as behind NAT: nf_conntrack_tcp_timeout_established is long.
    static func forgotten(_ name: String, _ rate: RateCurve, timeout: Double) -> Flows {
        Flows(name: name, rate: rate, lives: 60, timeout: timeout)
    }

    /// The same, through this host.
    var forwarded: Flows {
        var flows = self
        flows.isForwarded = true
        return flows
    }
}
