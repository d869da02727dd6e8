// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Who holds the module where the kernel's rules are known: a module's own references less the rules that a stop flushes.
@Suite struct HoldersTests {
    /// A host, and what comes of a stop of its firewall.
    struct Way: Sendable, CustomTestStringConvertible {
        var name: String
        var service = Self.iptables
        /// `NAME REFERENCES USER,USER,`, as /proc/modules has them.
        var modules: [String]
        /// `FAMILY TABLE KIND NAME COUNT`; a family with a "+" is nft's.
        var rules: [String]
        var unloads: Bool?
        /// Words of the reason.
        var because = ""

        static let iptables = ("etc/sysconfig/iptables-config", "IPTABLES_MODULES_UNLOAD=\"yes\"\n")
        static let ip6tables = ("etc/sysconfig/ip6tables-config", "IP6TABLES_MODULES_UNLOAD=\"yes\"\n")
        static let firewalld = ("etc/firewalld/firewalld.conf", "CleanupModulesOnExit=yes\n")
        static let firewalldIPTables = (
            "etc/firewalld/firewalld.conf", "CleanupModulesOnExit=yes\nFirewallBackend=iptables\n"
        )

        var testDescription: String { name }
    }

    private static let usual = ["nf_conntrack 1 xt_conntrack,", "xt_conntrack 3 -"]

    private static let ways: [Way] = [
        Way(
            name: "all rules are iptables'", modules: usual, rules: ["ipv4 filter match conntrack 3"], unloads: true,
            because: "xt_conntrack has 3 references: 3 of iptables' rules, which the stop flushes"),
        Way(
            name: "one is ip6tables'", modules: usual,
            rules: ["ipv4 filter match conntrack 2", "ipv6 filter match conntrack 1"], unloads: false,
            because: "3 references: 2 of iptables' rules, which the stop flushes, and 1 of ip6tables' rules: the module"
        ),
        Way(
            name: "ip6tables stops, and iptables has rules", service: Way.ip6tables, modules: usual,
            rules: ["ipv4 filter match conntrack 2", "ipv6 filter match conntrack 1"], unloads: false,
            because: "2 of iptables' rules, and 1 of ip6tables' rules, which the stop flushes"),
        Way(
            name: "one is of nobody here", modules: usual, rules: ["ipv4 filter match conntrack 2"], unloads: false,
            because: "1 of rules in another network namespace"),
        Way(
            name: "a match in several tables", modules: usual,
            rules: ["ipv4 filter match conntrack 2", "ipv4 mangle match conntrack 1"], unloads: true),
        Way(
            name: "a CT target and its helper",
            modules: [
                "nf_conntrack 2 xt_CT,nf_conntrack_ftp,", "xt_CT 1 -", "nf_conntrack_ftp 1 -",
            ], rules: ["ipv4 raw target CT 1", "ipv4 raw helper ftp-2121 1", "ipv4 raw table raw 1"], unloads: true),
        Way(
            name: "its helper in another namespace as well",
            modules: [
                "nf_conntrack 2 xt_CT,nf_conntrack_ftp,", "xt_CT 2 -", "nf_conntrack_ftp 2 -",
            ], rules: ["ipv4 raw target CT 1", "ipv4 raw helper ftp 1"], unloads: false,
            because: "nf_conntrack_ftp has 2 references"),
        Way(
            name: "NOTRACK is CT's", modules: ["nf_conntrack 1 xt_CT,", "xt_CT 1 -"],
            rules: ["ipv4 raw target NOTRACK 1"], unloads: true),
        Way(
            name: "a helper loaded by hand",
            modules: ["nf_conntrack 2 xt_conntrack,nf_conntrack_ftp,", "xt_conntrack 1 -", "nf_conntrack_ftp 0 -"],
            rules: ["ipv4 filter match conntrack 1"], unloads: true),
        Way(
            name: "nat, whose table counts once",
            modules: [
                "nf_conntrack 2 nf_nat,xt_MASQUERADE,", "nf_nat 2 iptable_nat,xt_MASQUERADE,", "xt_MASQUERADE 4 -",
                "iptable_nat 1 -",
            ], rules: ["ipv4 nat target MASQUERADE 4", "ipv4 nat table nat 1"], unloads: true),
        Way(
            name: "a nat table in another namespace",
            modules: ["nf_conntrack 1 nf_nat,", "nf_nat 1 iptable_nat,", "iptable_nat 2 -"],
            rules: ["ipv4 nat table nat 1"], unloads: false, because: "iptable_nat has 2 references"),
        Way(
            name: "nat of ip6tables",
            modules: ["nf_conntrack 1 nf_nat,", "nf_nat 1 ip6table_nat,", "ip6table_nat 1 -"],
            rules: ["ipv6 nat table nat 1"], unloads: false, because: "1 of ip6tables' rules"),
        Way(
            name: "SNAT is xt_nat's", modules: ["nf_conntrack 1 nf_nat,", "nf_nat 1 xt_nat,", "xt_nat 3 -"],
            rules: ["ipv4 nat target SNAT 1", "ipv4 nat target DNAT 2"], unloads: true),
        Way(
            name: "state's module is its own", modules: ["nf_conntrack 1 xt_state,", "xt_state 2 -"],
            rules: ["ipv4 filter match state 2"], unloads: true),
        Way(
            name: "an nft rule that uses it",
            modules: ["nf_conntrack 2 xt_conntrack,nft_ct,", "xt_conntrack 3 -", "nft_ct 2 -"],
            rules: ["ipv4 filter match conntrack 3", "inet+ mine expression ct 2"], unloads: false,
            because: "nft_ct has 2 references: 2 of nft's table inet mine's rules"),
        Way(
            name: "an nft object and its helper, for both families",
            modules: [
                "nf_conntrack 2 nft_ct,nf_conntrack_ftp,", "nft_ct 1 -", "nf_conntrack_ftp 2 -",
            ], rules: ["inet+ mine object ct_helper 1", "inet+ mine helper ftp 2"], unloads: false,
            because: "2 of nft's table inet mine's rules"),
        Way(
            name: "an empty nat chain of nft",
            modules: [
                "nf_conntrack 1 nf_nat,", "nf_nat 1 nft_chain_nat,", "nft_chain_nat 1 -",
            ], rules: ["ipv4+ mine chain nat 1"], unloads: false, because: "1 of nft's table ip mine's rules"),
        Way(
            name: "a flowtable",
            modules: [
                "nf_conntrack 1 nf_flow_table,", "nf_flow_table 1 nf_flow_table_inet,", "nf_flow_table_inet 1 -",
            ], rules: ["inet+ mine flowtable flowtable 1"], unloads: false, because: "nf_flow_table_inet has 1"),
        Way(
            name: "iptables-nft", modules: usual,
            rules: [
                "ipv4 filter match conntrack 2", "ipv4+ filter match conntrack 1", "ipv4+ filter expression match 1",
            ],
            unloads: false, because: "1 of nft's table ip filter's rules"),
        Way(
            name: "a dump of conntrack under way",
            modules: ["nf_conntrack 1 nf_conntrack_netlink,", "nf_conntrack_netlink 1 -"], rules: [], unloads: true),
        Way(
            name: "IPVS with services", modules: ["nf_conntrack 1 ip_vs,", "ip_vs 4 -"], rules: [], unloads: false,
            because: "4 of IPVS"),
        Way(name: "IPVS without", modules: ["nf_conntrack 1 ip_vs,", "ip_vs 0 -"], rules: [], unloads: true),
        Way(
            name: "somebody at nf_conntrack itself", modules: ["nf_conntrack 2 xt_conntrack,", "xt_conntrack 0 -"],
            rules: [], unloads: false, because: "1 of something that is not to be seen"),
        Way(
            name: "a module without a way out", modules: ["nf_conntrack 1 [permanent],"], rules: [], unloads: false,
            because: "nf_conntrack can never be unloaded"),
        Way(
            name: "more rules than references", modules: usual, rules: ["ipv4 filter match conntrack 5"], unloads: nil,
            because: "more rules refer to xt_conntrack than it counts"),
        Way(
            name: "firewalld's own table", service: Way.firewalld, modules: ["nf_conntrack 1 nft_ct,", "nft_ct 9 -"],
            rules: ["inet+ firewalld expression ct 9"], unloads: true),
        Way(
            name: "firewalld, and kube-proxy's table", service: Way.firewalld,
            modules: ["nf_conntrack 1 nft_ct,", "nft_ct 11 -"],
            rules: ["inet+ firewalld expression ct 9", "ipv4+ kube-proxy expression ct 2"], unloads: false,
            because: "2 of nft's table ip kube-proxy's rules"),
        Way(
            name: "firewalld, and what Docker does with iptables-nft", service: Way.firewalld,
            modules: ["nf_conntrack 2 nft_ct,xt_conntrack,", "nft_ct 9 -", "xt_conntrack 2 -"],
            rules: ["inet+ firewalld expression ct 9", "ipv4+ filter match conntrack 2"], unloads: nil,
            because: "2 of nft's table ip filter's rules, which the stop may flush"),
        Way(
            name: "firewalld with iptables", service: Way.firewalldIPTables, modules: usual,
            rules: ["ipv4 filter match conntrack 2", "ipv6 filter match conntrack 1"], unloads: true),
    ]

    private static func use(_ line: String) throws -> RuleUse {
        let words = line.split(separator: " ").map(String.init)
        let families: [String: RuleUse.Family] = ["ipv4": .ipv4, "ipv6": .ipv6, "inet": .inet]
        let kinds: [String: RuleUse.Kind] = [
            "match": .match, "target": .target, "helper": .helper, "table": .table, "expression": .expression,
            "chain": .chain, "object": .object, "flowtable": .flowtable,
        ]
        return RuleUse(
            family: try #require(families[words[0].replacing("+", with: "")]), isNft: words[0].hasSuffix("+"),
            kind: try #require(kinds[words[2]]), table: words[1], name: words[3].replacing("_", with: " "),
            count: try #require(Int(words[4])))
    }

    /// A made-up host with these modules.
    private func facts(_ service: (String, String), _ modules: [String]) throws -> DoctorFacts {
        let directory = try TemporaryDirectory()
        try directory.write(service.1, to: service.0)
        let lines = modules.map { line in
            let words = line.split(separator: " ")
            return "\(words[0]) 16384 \(words[1]) \(words[2]) Live 0x0000000000000000\n"
        }
        try directory.write(lines.joined(), to: "proc/modules")
        return DoctorFacts(
            HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path))
    }

    @Test(arguments: ways) func `what the rules do not explain keeps the module`(_ way: Way) throws {
        var facts = try facts(way.service, way.modules)
        var rules = KernelRules(uses: try way.rules.map(Self.use))
        rules.isFirewalldIPTables = way.service.1.contains("FirewallBackend=iptables")
        facts.kernelRules = .known(rules)
        let verdict = UnloadVerdict(facts)

        #expect(verdict.wouldUnload == way.unloads, "\(verdict.why)")
        #expect(way.because.isEmpty || verdict.why.contains { $0.contains(way.because) }, "\(verdict.why)")
    }

    @Test func `only ip6tables' rules count as ip6tables'`() throws {
        func isIPv6(_ rules: String...) throws -> [Bool] {
            var facts = try facts(Way.iptables, Self.usual)
            facts.kernelRules = .known(KernelRules(uses: try rules.map(Self.use)))
            return UnloadVerdict(facts).keepers.map(\.isIPv6)
        }
        #expect(try isIPv6("ipv4 filter match conntrack 2", "ipv6 filter match conntrack 1") == [true])
        #expect(try isIPv6("ipv4 filter match conntrack 1", "ipv6 filter match conntrack 1") == [false])
        #expect(try isIPv6("ipv6 filter match conntrack 2", "inet+ mine match conntrack 1") == [false])
    }

    @Test func `a service without tables stops nothing`() throws {
        var facts = try facts(Way.iptables, Self.usual)
        facts.kernelRules = .known(KernelRules(idle: [.iptables]))
        let verdict = UnloadVerdict(facts)
        #expect(verdict.wouldUnload == false)
        #expect(verdict.why.last == "the stop of iptables does nothing now: there are no tables that it could flush")
        #expect(verdict.services == [])
    }

    @Test func `another namespace is called by a process in it`() throws {
        var facts = try facts(Way.iptables, Self.usual)
        let envoy = OtherNamespace(process: 321, command: "envoy", tables: ["nat", "ip6 filter"])
        facts.kernelRules = .known(KernelRules(others: [envoy]))
        #expect(
            UnloadVerdict(facts).why.contains { $0.contains("the namespace of envoy (process 321, nat, ip6 filter)") })
    }

    // MARK: Rules that can't be known

    @Test(
        arguments: [
            ("iptables' rules may be all that holds it", usual, nil),
            ("nothing holds it", ["nf_conntrack 1 xt_conntrack,", "xt_conntrack 0 -"], true),
            ("nft is not what this stop flushes", ["nf_conntrack 1 nft_ct,", "nft_ct 1 -"], false),
            (
                "a table of the other family",
                ["nf_conntrack 1 nf_nat,", "nf_nat 1 ip6table_nat,", "ip6table_nat 1 -"], false
            ),
            ("a helper may be a CT target's", ["nf_conntrack 1 nf_conntrack_ftp,", "nf_conntrack_ftp 1 -"], nil),
            ("no rule holds IPVS", ["nf_conntrack 1 ip_vs,", "ip_vs 1 -"], false),
        ] as [(String, [String], Bool?)])
    func `what no rule can change is known without them`(_ name: String, _ modules: [String], _ unloads: Bool?) throws {
        var facts = try facts(Way.iptables, modules)
        facts.kernelRules = .unknown("run this as root")
        let verdict = UnloadVerdict(facts)
        #expect(verdict.wouldUnload == unloads, "\(verdict.why)")
        #expect(verdict.why.count { $0 == "run this as root" } == (unloads == nil ? 1 : 0))
    }

    @Test func `without the privilege the saved rules decide, and it is said`() throws {
        var facts = try facts(Way.iptables, Self.usual)
        facts.kernelRules = .noPrivilege
        let verdict = UnloadVerdict(facts)
        #expect(verdict.wouldUnload == true)
        #expect(verdict.why.last == "the rules that the kernel has were not counted: that takes root")
    }

    @Test func `a saved tree's rules are never asked of this kernel`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Way.iptables.1, to: Way.iptables.0)
        try directory.write("nf_conntrack 16384 0 - Live 0x0\n", to: "proc/modules")
        for paths in [
            HostPaths(procfs: directory.path(of: "proc"), sysfs: "/sys", root: ""),
            HostPaths(procfs: "/proc", sysfs: "/sys", root: directory.path),
            HostPaths(procfs: directory.path(of: "proc"), sysfs: "/sys", root: directory.path),
        ] {
            var facts = DoctorFacts(paths)
            facts.readRules(paths)
            #expect(facts.kernelRules == .notAsked)
        }
    }
}
