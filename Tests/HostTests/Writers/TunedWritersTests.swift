// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Profiles, what they include, and what tuned does after them.
@Suite struct TunedWritersTests {
    /// tuned runs, and leaves the host's own configuration alone.
    private func host(_ active: String, _ profiles: [(String, String)], more: [(String, String)] = []) throws
        -> ProgramHost
    {
        let host = try ProgramHost(
            [
                ("etc/tuned/active_profile", active + "\n"),
                ("etc/tuned/tuned-main.conf", "# x\ndaemon = 1\nreapply_sysctl = 0\n"),
            ] + profiles.map { ("\($0.0)/tuned.conf", $0.1) } + more)
        try host.enable("tuned")
        return host
    }

    private func acts(_ active: String, _ profiles: [(String, String)]) throws -> [[String]] {
        try host(active, profiles).writers(TunedWriters.all).map(\.short)
    }

    @Test(arguments: [
        ("[sysctl]\nnet.netfilter.nf_conntrack_max=5\n", ["max=5"]),
        ("[sysctl]\nnet.netfilter.nf_conntrack_max = \"5\" # why\n", ["max=5"]),
        ("[sysctl]\nnet.nf_conntrack_max=>500\n", ["max>=500"]),
        ("[sysctl]\nnet.netfilter.nf_conntrack_max=<500\n", ["~max=500"]),
        ("[sysctl]\nnet.netfilter.nf_conntrack_max=>x\nnet/netfilter/nf_conntrack_acct=1\n", ["acct=1"]),
        ("[variables]\nn=7\nm=${n}0\n[sysctl]\nnet.netfilter.nf_conntrack_max=${m}\n", ["max=70"]),
        (
            "[variables]\nn=${f:exec:nproc}\n[sysctl]\nnet.netfilter.nf_conntrack_max=${n}\nvm.swappiness=1\n",
            ["max=?"]
        ),
        ("[sysctl]\nnet.nf_conntrack_max=5\n  and more\nnet.netfilter.nf_conntrack_acct=1\n", ["max=5", "acct=1"]),
        ("[net]\nnf_conntrack_hashsize=1048576\n[sysctl]\nnet.nf_conntrack_max=5\n", ["buckets=1048576", "max=5"]),
        ("[sysctl]\nnet.nf_conntrack_max=5\n[net]\nnf_conntrack_hashsize=1048576\n", ["max=5", "buckets=1048576"]),
        (
            "[mine]\ntype=sysctl\npriority=9\nnet.nf_conntrack_max=5\n[sysctl]\nnet.nf_conntrack_max=6\n",
            ["max=6", "max=5"]
        ),
        ("[sysfs]\n/sys/module/nf_conntrack/parameters/hashsize=4096\n", ["buckets=4096"]),
        ("[sysctl]\nuname_regex=x86_64\nnet.nf_conntrack_max=5\n", ["~max=5"]),
        ("[main]\nsummary=x\n[sysctl]\nnet.nf_conntrack_max=5\nnet.nf_conntrack_max=6\n", ["max=6"]),
    ])
    func `a profile's sections are done in their order`(_ text: String, _ acts: [String]) throws {
        #expect(try self.acts("mine", [("etc/tuned/mine", text)]) == [acts])
    }

    @Test(arguments: [
        "[sysctl]\nenabled=false\nnet.nf_conntrack_max=5\n", "[sysctl]\nnet.ipv4.ip_forward=1\n",
        "[sysctl]\n; net.nf_conntrack_max=5\n", "[net]\nnf_conntrack_hashsize=many\n", "",
        "[modules]\nnf_conntrack=hashsize=5\n", "[modules]\nkvm=+r nested=1\n", "[service]\nnf_conntrack_max=5\n",
        // A variable that nobody set is written as it stands, and the kernel refuses it.
        "[sysctl]\nnet.netfilter.nf_conntrack_max=${nobody}\n",
        // A line that is no option, or stands in no section: tuned refuses all of it.
        "[sysctl]\nnet.nf_conntrack_max=5\nnet.nf_conntrack_max\n", "x=1\n[sysctl]\nnet.nf_conntrack_max=5\n",
    ])
    func `what sets nothing of conntrack makes no writer`(_ text: String) throws {
        #expect(try acts("mine", [("etc/tuned/mine", text)]).isEmpty)
    }

    @Test func `what a profile includes comes first, and gives way`() throws {
        let base = "[sysctl]\nnet.netfilter.nf_conntrack_max=5\nnet.netfilter.nf_conntrack_acct=1\n"
        let mine = "[main]\ninclude=-gone, base\n[sysctl]\nnet.netfilter.nf_conntrack_max=6\n"
        #expect(try acts("mine", [("usr/lib/tuned/base", base), ("etc/tuned/mine", mine)]) == [["max=6", "acct=1"]])
        let replace = mine + "replace=1\n"
        #expect(try acts("mine", [("usr/lib/tuned/base", base), ("etc/tuned/mine", replace)]) == [["max=6"]])
        let drop = mine + "drop=net.netfilter.nf_conntrack_acct\n"
        #expect(try acts("mine", [("usr/lib/tuned/base", base), ("etc/tuned/mine", drop)]) == [["max=6"]])
        // Two active ones are merged in their order.
        let two = "[sysctl]\nnet.netfilter.nf_conntrack_max=7\n"
        #expect(try acts("base two", [("usr/lib/tuned/base", base), ("etc/tuned/two", two)]) == [["max=7", "acct=1"]])
    }

    @Test func `a profile in etc may include the one that it hides`() throws {
        let shipped = "[sysctl]\nnet.netfilter.nf_conntrack_max=5\nnet.netfilter.nf_conntrack_acct=1\n"
        let mine = "[main]\ninclude=base\n[sysctl]\nnet.netfilter.nf_conntrack_max=6\n"
        for (own, other) in [("etc/tuned", "usr/lib/tuned"), ("etc/tuned/profiles", "usr/lib/tuned/profiles")] {
            let found = try acts("base", [("\(other)/base", shipped), ("\(own)/base", mine)])
            #expect(found == [["max=6", "acct=1"]])
        }
        #expect(try acts("loop", [("etc/tuned/loop", "[main]\ninclude=loop\n" + shipped)]) == [["max=5", "acct=1"]])
    }

    @Test func `of two profiles that a function chooses from each may be it`() throws {
        let vm = "[sysctl]\nnet.netfilter.nf_conntrack_max=5\n"
        let metal = "[sysctl]\nnet.netfilter.nf_conntrack_max=6\n"
        let mine = "[main]\ninclude=${f:virt_check:vm:metal}\n[sysctl]\nnet.netfilter.nf_conntrack_acct=1\n"
        let profiles = [("etc/tuned/vm", vm), ("etc/tuned/metal", metal), ("etc/tuned/mine", mine)]
        #expect(try acts("mine", profiles) == [["~max=5", "~max=6", "acct=1"]])
        let sure = mine + "net.netfilter.nf_conntrack_max=7\n"
        #expect(try acts("mine", Array(profiles.dropLast()) + [("etc/tuned/mine", sure)]) == [["max=7", "acct=1"]])
    }

    @Test func `variables may stand in a file, and a choice of them is kept open`() throws {
        let text =
            "[variables]\ninclude=/etc/tuned/own-variables.conf\nm=${f:virt_check:${small}:2048}\n"
            + "[sysctl]\nnet.netfilter.nf_conntrack_max=${m}\n"
        let host = try host(
            "mine", [("etc/tuned/mine", text)], more: [("etc/tuned/own-variables.conf", "# own\nsmall=1024\n")])
        #expect(host.writers(TunedWriters.all).map(\.short) == [["~max=1024", "~max=2048"]])
    }

    @Test func `plus r loads the module anew, if nothing holds it`() throws {
        let text =
            "[sysctl]\nnet.nf_conntrack_max=5\n[modules]\nnf_conntrack=+r,hashsize=70000\n"
            + "[net]\nnf_conntrack_hashsize=9\n"
        let found = try host("mine", [("etc/tuned/mine", text)]).writers(TunedWriters.all)
        #expect(found.map(\.short) == [["max=5"], ["reload", "buckets=70144", "max=561152"], ["buckets=9"]])
        #expect(found.map(\.certainty) == [.certain, .may, .certain])
        #expect(try acts("mine", [("etc/tuned/mine", "[modules]\nnf-conntrack=+r\n")]) == [["reload"]])
    }

    /// plugin_sysctl.py: after each [sysctl], unless tuned-main.conf says no.
    @Test func `the host's own configuration is applied after the profile's`() throws {
        let host = try host(
            "mine", [("etc/tuned/mine", "[sysctl]\nnet.nf_conntrack_max=5\n")],
            more: [
                ("etc/tuned/tuned-main.conf", "reapply_sysctl = 1\nreapply_sysctl_exclude = *_acct\n"),
                ("etc/sysctl.d/90-x.conf", "net.netfilter.nf_conntrack_max = 6\n"),
                ("etc/sysctl.d/80-x.conf", "net.nf_conntrack_max = 9\nnet.netfilter.nf_conntrack_acct=1\n"),
                ("run/sysctl.d/80-x.conf", "-net.nf_conntrack_max = 8\nnet.netfilter.*_events = 0\n"),
                ("usr/lib/sysctl.d/99.conf", "net.nf_conntrack_max = 10\n"),
                ("etc/sysctl.conf", "net.netfilter.nf_conntrack_events = 1\n"),
            ])
        let found = host.writers(TunedWriters.all)
        #expect(found.map(\.short) == [["max=5"], ["max=6", "events=1"]])
        #expect(found.last?.places == ["/etc/sysctl.d/90-x.conf:1", "/etc/sysctl.conf:1"])
        #expect(found.last?.cure == nil)
        #expect(found.first?.cure?.contains("/etc/sysctl.d") == true)
    }

    @Test func `a profile without conntrack applies the host's configuration late all the same`() throws {
        let host = try ProgramHost([
            ("etc/tuned/active_profile", "virtual-guest\n"), ("etc/tuned/tuned-main.conf", "reapply_sysctl = 1\n"),
            (
                "usr/lib/tuned/virtual-guest/tuned.conf",
                "[main]\ninclude=throughput-performance\n[sysctl]\nvm.swappiness=30\n"
            ),
            ("etc/sysctl.d/90-x.conf", "net.netfilter.nf_conntrack_max = 6\n"),
        ])
        try host.enable("tuned")
        #expect(host.writers(TunedWriters.all).map(\.short) == [["max=6"]])
        #expect(host.writers(TunedWriters.all).first?.cure == nil)
        // Without the profile's file it is known from what tuned ships.
        let other = try ProgramHost([
            ("etc/tuned/active_profile", "throughput-performance\n"),
            ("etc/sysctl.d/90-x.conf", "net.netfilter.nf_conntrack_max = 6\n"),
        ])
        try other.enable("tuned")
        #expect(other.writers(TunedWriters.all).map(\.short) == [["~max=6"]])
    }

    /// The tree lacks the active profile, whose parent is known from tuned's own.
    @Test func `what is missing of a profile makes all of it a maybe`() throws {
        let openshift =
            "[main]\ninclude=${f:virt_check:virtual-guest:throughput-performance}\n"
            + "[variables]\nnf_conntrack_hashsize=1048576\n[net]\nnf_conntrack_hashsize=${nf_conntrack_hashsize}\n"
            + "[sysctl]\nnet.netfilter.nf_conntrack_max=${nf_conntrack_hashsize}\nkernel.pid_max=>4194304\n"
        let host = try ProgramHost([
            ("etc/tuned/active_profile", "openshift-node\n"), ("usr/lib/tuned/openshift/tuned.conf", openshift),
        ])
        let found = host.writers(TunedWriters.all)
        #expect(found.map(\.short) == [["~buckets=1048576", "~max=1048576"]])
        #expect(found.first?.certainty == .may)
        #expect(found.first?.evidence.text == "openshift-node (not found: openshift-node)")
    }

    @Test func `an include that can't be known, and is not optional, makes a maybe`() throws {
        let text = "[sysctl]\nnet.nf_conntrack_max=5\n"
        let optional = "[main]\ninclude=-provider-${f:exec:cat:/x}\n" + text
        let found = try host("mine", [("etc/tuned/mine", optional)]).writers(TunedWriters.all)
        #expect(found.map(\.certainty) == [.certain])
        let needed = "[main]\ninclude=${f:exec:cat:/x}\n" + text
        let other = try host("mine", [("etc/tuned/mine", needed)]).writers(TunedWriters.all)
        #expect(other.map(\.certainty) == [.may])
        #expect(other.map(\.short) == [["max=5"]])
    }

    @Test func `a name that is none is passed over`() throws {
        let profile = ("etc/tuned/mine", "[sysctl]\nnet.nf_conntrack_max=5\n")
        #expect(try acts("../mine mine", [profile]) == [["max=5"]])
        #expect(try acts("../mine", [profile]).isEmpty)
    }

    @Test func `tuned that does not run sets nothing`() throws {
        let profile = ("etc/tuned/mine", "[sysctl]\nnet.nf_conntrack_max=5\n")
        let files = [("etc/tuned/active_profile", "mine\n"), ("etc/tuned/mine/tuned.conf", profile.1)]
        let host = try ProgramHost(files)
        #expect(host.writers(TunedWriters.all).first?.certainty == .may)
        try host.enable()
        #expect(host.writers(TunedWriters.all).isEmpty)
        try host.run("tuned", "-l", "-P")
        #expect(host.writers(TunedWriters.all).first?.certainty == .certain)
        #expect(try acts("", [profile]).isEmpty)
    }
}
