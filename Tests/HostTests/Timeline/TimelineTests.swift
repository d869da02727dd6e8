// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// What writers, made up here, leave at the end of each scenario.
@Suite struct TimelineTests {
    private static let limit = "nf_conntrack_max"
    private static let established = "nf_conntrack_tcp_timeout_established"
    private static let evidence = Evidence(file: "/etc/file", line: 1, text: "text")

    private func writer(
        _ name: String, _ when: Writer.Moment, _ acts: [Writer.Act], _ certainty: Certainty = .certain
    ) -> Writer {
        Writer(name: name, when: when, acts: acts, evidence: Self.evidence, certainty: certainty)
    }

    /// A host with 2 GB: the limit begins with 65536.
    private func timeline(_ writers: [Writer], kernel: String = "6.1.0", isBuiltIn: Bool = false) throws -> Timeline {
        let release = try #require(KernelRelease(kernel))
        let era = KernelEra(
            release: release, defaults: KernelDefaults(memory: 2 << 30, release: release), isBuiltIn: isBuiltIn)
        return Timeline(era, writers: writers, names: [Self.limit, Self.established])
    }

    private func values(_ kernel: SimulatedKernel, _ name: String = limit) -> [UInt64]? {
        kernel.settings[name]?.values
    }

    // MARK: Each moment in each scenario

    static let moments: [(Writer.Moment, reload: UInt64, boot: UInt64)] = [
        (.load(of: "nf_conntrack"), 500_000, 500_000), (.uevent(of: "nf_conntrack"), 500_000, 500_000),
        (.early, 65_536, 65_536), (.boot, 65_536, 65_536), (.firewall(.iptables), 500_000, 500_000),
        (.firewall(nil), 500_000, 500_000), (.firewall(.ufw), 65_536, 500_000), (.late, 65_536, 500_000),
        (.always, 500_000, 500_000), (.load(of: "nf_conntrack_ftp"), 65_536, 65_536),
    ]

    @Test(arguments: moments)
    func `a write at a moment reaches the end of a restart of iptables and of a boot or not`(
        _ moment: Writer.Moment, _ reload: UInt64, _ boot: UInt64
    ) throws {
        let timeline = try timeline([writer("a", moment, [.set(Self.limit, 500_000)])])
        #expect(values(timeline.restarted([.iptables])) == [reload])
        #expect(values(timeline.booted()) == [boot])
    }

    @Test func `sysctl configuration counts at boot where the module is loaded before, and is missed where not`() throws
    {
        let sysctl = writer("systemd-sysctl", .boot, [.set(Self.limit, 500_000)])
        let load = writer("modules-load.d", .early, [.load(module: "nf_conntrack", nil)])
        let loaded = try timeline([load, sysctl]).booted()
        #expect(values(loaded) == [500_000])
        #expect(loaded.missed == [])
        #expect(loaded.settings[Self.limit]?.by == "systemd-sysctl (/etc/file:1)")
        let late = try timeline([sysctl]).booted()
        #expect(values(late) == [65_536])
        #expect(late.missed.map(\.key) == [Self.limit])
        #expect(values(try timeline([sysctl], isBuiltIn: true).booted()) == [500_000])
    }

    @Test func `what only may load the module makes it either`() throws {
        let sysctl = writer("systemd-sysctl", .boot, [.set(Self.limit, 500_000)])
        let load = writer("the initramfs", .early, [.load(module: "nf_conntrack", nil)], .may)
        let end = try timeline([load, sysctl]).booted()
        #expect(values(end) == [65_536, 500_000])
        #expect(end.settings[Self.limit]?.most == 500_000)
        #expect(end.settings[Self.limit]?.value == nil)
    }

    @Test func `the last writer wins and the order of moments is that of a boot`() throws {
        let writers = [
            writer("again", .always, [.set(Self.limit, 1)]), writer("late", .late, [.set(Self.limit, 2)]),
            writer("firewall", .firewall(nil), [.set(Self.limit, 3)]),
        ]
        #expect(values(try timeline(writers).booted()) == [1])
        #expect(values(try timeline(Array(writers.dropFirst())).booted()) == [2])
        #expect(values(try timeline(Array(writers.dropFirst(2))).booted()) == [3])
    }

    // MARK: Doubt

    static let changes: [(Write.Change, Certainty, values: [UInt64], by: String)] = [
        (.set(131_072), .certain, [131_072], "a (/etc/file:1)"),
        (.set(131_072), .may, [65_536, 131_072], "a (/etc/file:1) or this kernel's default"),
        (.raise(131_072), .certain, [131_072], "a (/etc/file:1)"),
        (.raise(1000), .certain, [65_536], "this kernel's default"),
        (.raise(1000), .may, [65_536], "this kernel's default"),
        (.set(65_536), .may, [65_536], "a (/etc/file:1) or this kernel's default"),
        (.unknown, .certain, [], "a (/etc/file:1)"), (.unknown, .may, [], "a (/etc/file:1) or this kernel's default"),
        (.set(0), .may, [65_536, 0], "a (/etc/file:1) or this kernel's default"),
    ]

    @Test(arguments: changes)
    func `a write leaves its value, or what it may be`(
        _ change: Write.Change, _ certainty: Certainty, _ expected: [UInt64], _ by: String
    ) throws {
        let act = Writer.Act.write(Write(key: Self.limit, change: change, certainty: certainty))
        let end = try timeline([writer("a", .late, [act])]).booted()
        #expect(values(end) == expected)
        #expect(end.settings[Self.limit]?.by == by)
    }

    @Test func `a module that may be unloaded again may lose what was set`() throws {
        let writers = [
            writer("modules-load.d", .early, [.load(module: "nf_conntrack", nil)]),
            writer("systemd-sysctl", .boot, [.set(Self.limit, 500_000)]),
            writer("tuned", .late, [.reload(nil)]),
        ]
        #expect(values(try timeline(writers).booted()) == [65_536, 500_000])
    }

    // MARK: Loading

    @Test func `an install line acts in its own order, before and after its modprobe`() throws {
        let install = Writer.Moment.load(of: "nf_conntrack")
        let load = Writer.Act.load(module: "nf_conntrack", nil)
        #expect(values(try timeline([writer("a", install, [load, .set(Self.limit, 7)])]).loadedByRule()) == [7])
        #expect(values(try timeline([writer("a", install, [.set(Self.limit, 7), load])]).loadedByRule()) == [65_536])
        #expect(values(try timeline([writer("a", install, [.set(Self.limit, 7)])]).loadedByRule()) == [7])
    }

    @Test func `a script that loads the module itself sets what it has loaded`() throws {
        let script = writer("/etc/rc.local", .early, [.load(module: "xt_conntrack", nil), .set(Self.limit, 7)])
        #expect(values(try timeline([script]).booted()) == [7])
    }

    @Test func `before 4.19 the timeouts of TCP come with the module of IPv4`() throws {
        let sysctl = writer("systemd-sysctl", .boot, [.set(Self.limit, 500_000), .set(Self.established, 7200)])
        func booted(_ module: String, _ kernel: String) throws -> SimulatedKernel {
            try timeline([writer("a", .early, [.load(module: module, nil)]), sysctl], kernel: kernel).booted()
        }
        let core = try booted("nf_conntrack", "3.10.0-1160.el7.x86_64")
        #expect(values(core) == [500_000])
        #expect(values(core, Self.established) == [432_000])
        #expect(core.missed.map(\.key) == [Self.established])
        #expect(values(try booted("nf_conntrack_ipv4", "3.10.0-1160.el7.x86_64"), Self.established) == [7200])
        #expect(values(try booted("nf_conntrack", "4.19.0"), Self.established) == [7200])
        #expect(values(try booted("nf_conntrack", "4.18.0-553.el8_10.x86_64"), Self.established) == [7200])
    }

    @Test func `a udev rule for nf_conntrack races with the module of IPv4`() throws {
        let rule = writer("rule", .uevent(of: "nf_conntrack"), [.set(Self.limit, 7), .set(Self.established, 7200)])
        let end = try timeline([rule], kernel: "4.4.0").loadedByRule()
        #expect(values(end) == [7])
        #expect(values(end, Self.established) == [7200, 432_000])
    }

    // MARK: The kernel

    @Test func `0 as a limit is refused from 6.19 on`() throws {
        let zero = [writer("a", .late, [.set(Self.limit, 0)])]
        #expect(values(try timeline(zero, kernel: "6.18.0").booted()) == [0])
        #expect(values(try timeline(zero, kernel: "6.19.0").booted()) == [65_536])
    }

    @Test func `a hash size fills whole pages`() throws {
        let end = try timeline([writer("a", .late, [.set("nf_conntrack_buckets", 200_000)])]).booted()
        #expect(values(end, "nf_conntrack_buckets") == [200_192])
    }

    @Test func `a setting that this kernel does not have is set by nobody`() throws {
        var era = KernelEra(release: KernelRelease("6.1.0"), live: [Self.limit], modules: ["nf_conntrack"])
        let names = ["nf_conntrack_helper", "nf_conntrack_timestamp"]
        let late = [writer("a", .late, names.map { .set($0, 1) })]
        let gone = Timeline(era, writers: late, names: [Self.limit]).booted()
        #expect(names.allSatisfy { gone.settings[$0] == nil })
        #expect(gone.missed == [])
        // Where nothing is to be seen, what its version has is there: nf_conntrack_helper went with 6.0.
        era.live = []
        let unseen = Timeline(era, writers: late, names: []).booted()
        #expect(names.map { unseen.settings[$0]?.values } == [nil, [1]])
    }

    @Test func `a program that is restarted writes over what is live`() throws {
        let timeline = try timeline([writer("kube-proxy", .late, [.set(Self.limit, 131_072)])])
        #expect(values(timeline.restarted(program: 0, on: [Self.limit: 1_000_000])) == [131_072])
    }
}
