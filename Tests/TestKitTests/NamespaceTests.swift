// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("nsenter"))))
struct NamespaceTests {
    @Test func `children are inside, and the path leads there`() throws {
        let namespace = try TestNamespace()
        let look = Command("readlink", "/proc/self/ns/net")
        let inside = try look.run(in: namespace).standardOutput
        let entered = try Command("nsenter", "--net=\(namespace.path)", "readlink", "/proc/self/ns/net").run()

        #expect(inside.hasPrefix("net:["))
        #expect(entered.standardOutput == inside)
        #expect(try look.run().standardOutput != inside)
    }

    @Test func `a sysctl written inside is not written outside`() throws {
        let path = "/proc/sys/net/netfilter/nf_conntrack_acct"
        let (one, other) = (try TestNamespace(), try TestNamespace())
        let before = try other.read(path)
        try one.setSysctl("netfilter/nf_conntrack_acct", before == "1\n" ? "0" : "1")

        #expect(try one.read(path) != before)
        #expect(try other.read(path) == before)
    }

    @Test(arguments: Family.allCases)
    func `flows are tracked once a rule asks for it, each an entry of its own`(_ family: Family) throws {
        let namespace = try TestNamespace()
        let count = "/proc/sys/net/netfilter/nf_conntrack_count"
        _ = try namespace.udpFlows(family)
        #expect(try namespace.read(count) == "0\n")
        try namespace.trackConnections()
        let flows = try namespace.tcpFlows(family, count: 20) + namespace.udpFlows(family, count: 20)

        #expect(Set(flows).count == 40)
        #expect(try namespace.read(count) == "40\n")
        try namespace.flushEntries()
        #expect(try namespace.read(count) == "0\n")
    }

    @Test func `entries made and deleted are counted as the kernel accepted them`() throws {
        let namespace = try TestNamespace()

        #expect(try namespace.makeEntries(count: 1000) == 1000)
        #expect(try namespace.makeEntries(first: 500, count: 1000) == 500)
        #expect(try namespace.deleteEntries(first: 1400, count: 600) == 100)
        #expect(try namespace.read("/proc/sys/net/netfilter/nf_conntrack_count") == "1400\n")
    }

    @Test func `an error thrown inside comes out`() throws {
        let namespace = try TestNamespace()

        #expect(throws: SystemError("made up", code: 5)) {
            try namespace.run { throw SystemError("made up", code: 5) }
        }
        #expect(try namespace.run { 7 } == 7)
    }
}
