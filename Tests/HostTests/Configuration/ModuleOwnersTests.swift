// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Which module a setting comes with, by kernel.
@Suite struct ModuleOwnersTests {
    private static let both = ["nf_conntrack_ipv4", "nf_conntrack_ipv6"]

    @Test(arguments: [
        ("nf_conntrack_max", "3.10.0-1160.el7.x86_64", ["nf_conntrack"]),
        ("nf_conntrack_generic_timeout", "3.10.0-1160.el7.x86_64", ["nf_conntrack"]),
        ("nf_conntrack_tcp_timeout_established", "3.10.0-1160.el7.x86_64", ModuleOwnersTests.both),
        ("nf_conntrack_tcp_be_liberal", "4.15.0-200-generic", ModuleOwnersTests.both),
        ("nf_conntrack_udp_timeout", "2.6.32-754.el6", ModuleOwnersTests.both),
        ("nf_conntrack_icmp_timeout", "4.9.0-19-amd64", ["nf_conntrack_ipv4"]),
        ("nf_conntrack_icmpv6_timeout", "4.9.0-19-amd64", ["nf_conntrack_ipv6"]),
        ("nf_conntrack_sctp_timeout_closed", "4.9.0-19-amd64", ["nf_conntrack_proto_sctp"]),
        ("nf_conntrack_sctp_timeout_closed", "4.15.0-200-generic", ModuleOwnersTests.both),
        ("nf_conntrack_dccp_loose", "3.10.0-1160.el7.x86_64", ["nf_conntrack_proto_dccp"]),
        ("nf_conntrack_tcp_timeout_established", "4.18.0-553.el8_10.x86_64", ["nf_conntrack"]),
        ("nf_conntrack_tcp_timeout_established", "4.18.0-25-generic", ModuleOwnersTests.both),
        ("nf_conntrack_tcp_timeout_established", "4.19.0-27-amd64", ["nf_conntrack"]),
        ("nf_conntrack_frag6_timeout", "6.1.0", ["nf_defrag_ipv6"]),
        ("nf_conntrack_frag6_timeout", "2.6.32-754.el6", ["nf_conntrack_ipv6"]),
    ])
    func `before 4_19 protocols have modules of their own`(_ name: String, _ release: String, _ owners: [String]) {
        #expect(ModuleNames.owners(of: name, release: KernelRelease(release)) == owners)
        #expect(ModuleNames.owner(of: name, release: KernelRelease(release)) == owners[0])
    }

    @Test func `an unknown kernel is taken for one of today`() {
        #expect(ModuleNames.owner(of: "nf_conntrack_tcp_loose", release: nil) == "nf_conntrack")
    }
}
