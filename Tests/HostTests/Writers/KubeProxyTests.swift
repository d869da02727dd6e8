// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// kube-proxy as a process of its own: what it sets by its flags, its configuration and its version.
@Suite struct KubeProxyTests {
    private static let config = "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
    private static let times = "established=86400 close_wait=3600"
    private static let mayTimes =
        "established>=86400 ?established=86400 close_wait>=3600 ?close_wait=3600"
    private static let digits = String(repeating: "0123456789abcdef", count: 4)

    /// A container of this version, as containerd describes it.
    private static func container(_ version: String, pid: Int = 100) -> [String: String] {
        [
            "proc/\(pid)/cgroup": "0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-\(digits).scope\n",
            "run/containerd/io.containerd.runtime.v2.task/k8s.io/\(digits)/config.json":
                #"{"annotations":{"io.kubernetes.cri.image-name":"registry.k8s.io/kube-proxy:\#(version)"}}"#,
        ]
    }

    @Test(
        arguments: [
            ([], "max=131072 buckets>=32768 \(times)"),
            (["--conntrack-max-per-core=65536"], "max=262144 buckets>=65536 \(times)"),
            (["--conntrack-max-per-core", "65536"], "max=262144 buckets>=65536 \(times)"),
            (["--conntrack_max_per_core=65536"], "max=262144 buckets>=65536 \(times)"),
            (["--conntrack-max-per-core=1", "--conntrack-max-per-core=65536"], "max=262144 buckets>=65536 \(times)"),
            (["--conntrack-max-per-core=0x10000"], "max=262144 buckets>=65536 \(times)"),
            (["--conntrack-min=600000"], "max=600000 buckets>=150000 \(times)"),
            // Without a number a core the minimum counts for nothing.
            (["--conntrack-max-per-core=0", "--conntrack-min=600000"], times),
            (["--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0"], "close_wait=3600"),
            (
                ["--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "2h30m"],
                "established=9000 close_wait=3600"
            ),
            (
                [
                    "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s",
                    "--conntrack-tcp-timeout-close-wait=0s", "--conntrack-udp-timeout=45s",
                    "--conntrack-udp-timeout-stream=3m", "--conntrack-tcp-be-liberal",
                ], "udp_timeout=45 udp_timeout_stream=180 tcp_be_liberal=1"
            ),
            (["--v=2", "--", "--conntrack-max-per-core=65536"], "max=131072 buckets>=32768 \(times)"),
            (["--conntrack-max-per-core=many"], "?max ?buckets \(times)"),
            (["--conntrack-max-per-core=99999999999"], "?max ?buckets \(times)"),
            (["--config=", "--conntrack-min=600000"], "max=600000 buckets>=150000 \(times)"),
        ])
    func `flags are read as kube-proxy reads them`(_ flags: [String], _ told: String) throws {
        let host = try KubeTestHost(
            Self.container("v1.30.1"), processes: [["kube-proxy", "/usr/local/bin/kube-proxy"] + flags])
        #expect(host.told() == ["kube-proxy: \(told)"])
    }

    @Test(arguments: [
        [
            "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0s",
        ], ["--cleanup"], ["--version"], ["--write-config-to=/tmp/x"],
    ])
    func `one that sets nothing is no writer`(_ flags: [String]) throws {
        #expect(try KubeTestHost(processes: [["kube-proxy", "kube-proxy"] + flags]).told() == [])
    }

    @Test(
        arguments: [
            ("v1.9.11", "max=131072 buckets>=32768 \(times)"), ("v1.21.14", "max=131072 buckets>=32768 \(times)"),
            ("v1.22.0", "max>=131072 buckets>=32768 established>=86400 close_wait>=3600"),
            ("v1.28.15-eks-1", "max>=131072 buckets>=32768 established>=86400 close_wait>=3600"),
            ("v1.29.0", "max=131072 buckets>=32768 \(times)"), ("v1.35.9", "max=131072 buckets>=32768 \(times)"),
            ("v1.36.2", "max=131072 buckets>=32768 \(times)"),
            ("v1.36.7", "max>=131072 ?max=131072 buckets>=32768 \(times)"),
            ("v1.37.1", "max>=131072 ?max=131072 buckets>=32768 \(times)"),
            ("v1.38.0", "max>=131072 buckets>=32768 \(times)"),
            ("latest", "max>=131072 ?max=131072 buckets>=32768 \(mayTimes)"),
        ])
    func `its version decides what it writes over`(_ version: String, _ told: String) throws {
        let host = try KubeTestHost(Self.container(version), processes: [["kube-proxy", "kube-proxy"]])
        #expect(host.told() == ["kube-proxy: \(told)"])
    }

    @Test(
        arguments: [
            ("v1.35.0", 0, "max=4194304 buckets>=1048576"), ("v1.36.0", 0, "max=1048576 buckets>=262144"),
            // The cap stands before the minimum in its source.
            ("v1.36.0", 3_000_000, "max=1048576 buckets>=262144"),
            (
                "latest", 0,
                "max>=1048576 ?max>=4194304 ?max=4194304 ?max=1048576 buckets>=262144 ?buckets>=1048576"
            ),
        ])
    func `since 1.36 what it counts by cores is capped`(_ version: String, _ least: Int, _ told: String) throws {
        let words = [
            "kube-proxy", "kube-proxy", "--conntrack-min=\(least)", "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
        ]
        let host = try KubeTestHost(Self.container(version), processes: [words], cores: 128)
        #expect(host.told() == ["kube-proxy: \(told)"])
    }

    @Test func `without the number of cores the limit can't be known`() throws {
        let host = try KubeTestHost(Self.container("v1.30.0"), processes: [["kube-proxy", "kube-proxy"]], cores: nil)
        #expect(host.told() == ["kube-proxy: ?max ?buckets \(Self.times)"])
    }

    @Test(arguments: [
        "conntrack:\n  maxPerCore: 65536\n  min: 5\n  tcpEstablishedTimeout: 1h0m0s\n  tcpCloseWaitTimeout: 0s\n",
        "conntrack:\n    # by core\n    maxPerCore: 65536 # many\n    tcpEstablishedTimeout: \"1h\"\n    "
            + "tcpCloseWaitTimeout: '0s'\n    min: null\nmode: iptables\n",
        "conntrack: {maxPerCore: 65536, tcpEstablishedTimeout: 1h, tcpCloseWaitTimeout: 0s}\n",
        "linux:\n  conntrack:\n    maxPerCore: 65536\n    tcpEstablishedTimeout: 60m\n    tcpCloseWaitTimeout: 0s\n",
    ])
    func `with a configuration its flags count for nothing`(_ conntrack: String) throws {
        let words = [
            "kube-proxy", "kube-proxy", "--config", "/etc/kube-proxy.yaml", "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=5s",
        ]
        var files = Self.container("v1.30.0")
        files["etc/kube-proxy.yaml"] = "---\n" + Self.config + conntrack
        #expect(
            try KubeTestHost(files, processes: [words]).told() == [
                "kube-proxy: max=262144 buckets>=65536 established=3600"
            ])
    }

    @Test func `a configuration may be JSON, and say the newer settings`() throws {
        var files = Self.container("v1.30.0")
        files["etc/kube-proxy.json"] = """
            {
              "kind": "KubeProxyConfiguration",
              "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
                "tcpBeLiberal": true,
                "udpTimeout": "30s", "udpStreamTimeout": "2m0s" }
            }
            """
        let words = ["kube-proxy", "kube-proxy", "--config=/etc/kube-proxy.json"]
        let host = try KubeTestHost(files, processes: [words])
        #expect(host.told() == ["kube-proxy: udp_timeout=30 udp_timeout_stream=120 tcp_be_liberal=1"])
        let evidence = host.writers().first?.acts.first
        #expect(
            evidence
                == .set(
                    "nf_conntrack_udp_timeout", 30,
                    Evidence(file: "/etc/kube-proxy.json", line: 5, text: "udpTimeout: 30s")))
    }

    @Test func `a configuration without a word on conntrack means the defaults`() throws {
        var files = Self.container("v1.30.0")
        files["var/lib/kube-proxy/config.conf"] = Self.config + "mode: ipvs\n"
        let words = ["kube-proxy", "kube-proxy", "--config=/var/lib/kube-proxy/config.conf"]
        let host = try KubeTestHost(files, processes: [words])
        #expect(host.told() == ["kube-proxy: max=131072 buckets>=32768 \(Self.times)"])
        #expect(host.writers().first?.cure?.contains("edit configmap kube-proxy ") == true)
    }

    /// Amazon's and kubeadm's, behind the links that the kubelet makes.
    @Test(arguments: [
        ("/var/lib/kube-proxy-config/config", "config", "config"),
        ("/var/lib/kube-proxy/config.conf", "kube-proxy", "config.conf"),
    ])
    func `else the volume of its ConfigMap counts`(_ path: String, _ volume: String, _ name: String) throws {
        let folder = "var/lib/kubelet/pods/0a1b/volumes/kubernetes.io~configmap"
        var files = Self.container("v1.30.0")
        files["\(folder)/\(volume)/..2026_01_01/\(name)"] = Self.config + "conntrack:\n  maxPerCore: 65536\n"
        files["var/lib/kubelet/pods/0000/volumes/kubernetes.io~configmap/config/\(name)"] = "Corefile\n"
        let host = try KubeTestHost(files, processes: [["kube-proxy", "kube-proxy", "--config=\(path)"]])
        try host.link("\(folder)/\(volume)/..data", to: "..2026_01_01")
        try host.link("\(folder)/\(volume)/\(name)", to: "..data/\(name)")
        #expect(host.told() == ["kube-proxy: max=262144 buckets>=65536 \(Self.times)"])
        let writer = try #require(host.writers().first)
        #expect(writer.evidence == Evidence(file: "/proc/100/cmdline", text: "kube-proxy --config=\(path)"))
        guard case .write(let write)? = writer.acts.first else { throw SystemError("no write") }
        #expect(write.evidence == Evidence(file: "/\(folder)/\(volume)/\(name)", line: 4, text: "maxPerCore: 65536"))
        #expect(
            writer.cure?.contains(path.contains("-config/") ? "configmap kube-proxy-config" : "configmap kube-proxy ")
                == true)
        #expect(writer.when == .late && writer.isService)
    }

    /// One that can't be read: what is live tells of the defaults, and of nothing else.
    @Test(
        arguments: [
            (131_072, 86_400, 3_600, "max=131072 buckets>=32768 \(times)"),
            (131_072, 86_400, 60, "max=131072 buckets>=32768 established=86400 ?close_wait"),
            (262_144, 432_000, 60, "?max ?buckets ?established ?close_wait"),
        ])
    func `a configuration that is not there can't be known`(
        _ limit: Int, _ established: Int, _ closeWait: Int, _ told: String
    ) throws {
        var files = Self.container("v1.30.0")
        files["proc/sys/net/netfilter/nf_conntrack_max"] = "\(limit)\n"
        files["proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"] = "\(established)\n"
        files["proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait"] = "\(closeWait)\n"
        let words = ["kube-proxy", "kube-proxy", "--config=/var/lib/kube-proxy/config.conf", "--conntrack-min=7"]
        #expect(try KubeTestHost(files, processes: [words]).told() == ["kube-proxy: \(told)"])
    }

    @Test func `a timeout that is as it wants it stays so, whatever its version`() throws {
        let live = "proc/sys/net/netfilter/nf_conntrack_tcp_timeout_"
        let files = [live + "established": "86400\n", live + "close_wait": "60\n"]
        let host = try KubeTestHost(files, processes: [["kube-proxy", "kube-proxy", "--conntrack-max-per-core=0"]])
        #expect(host.told() == ["kube-proxy: established=86400 close_wait>=3600 ?close_wait=3600"])
    }

    @Test func `a live one's configuration is read where it sees it, and no link leads out of there`() throws {
        let path = "var/lib/kube-proxy-of-a-test/config.conf"
        let host = try KubeTestHost(
            ["proc/100/root/\(path)": Self.config + "conntrack:\n  maxPerCore: 65536\n", "proc/100/root/etc/x": ""],
            processes: [["kube-proxy", "kube-proxy", "--config=/\(path)"]])
        let told = "max>=262144 ?max=262144 buckets>=65536 \(Self.mayTimes)"
        #expect(host.told(isLive: true) == ["kube-proxy: \(told)"])
        guard case .write(let write)? = host.writers(isLive: true).first?.acts.first else {
            throw SystemError("no write")
        }
        #expect(write.evidence?.file == "/proc/100/root/\(path)")

        try host.directory.write(Self.config + "conntrack:\n  maxPerCore: 5\n", to: "outside.conf")
        let leading = ["kube-proxy", "kube-proxy", "--config=/etc/kube-proxy-of-a-test.conf"]
        let other = try KubeTestHost(["proc/100/root/etc/x": ""], processes: [leading])
        try other.link("proc/100/root/etc/kube-proxy-of-a-test.conf", to: host.directory.path(of: "outside.conf"))
        #expect(other.told(isLive: true) == ["kube-proxy: ?max ?buckets ?established ?close_wait"])
    }

    @Test func `in a saved host nothing is read through a process's root`() throws {
        let words = ["kube-proxy", "kube-proxy", "--config=/x.conf"]
        let host = try KubeTestHost(
            ["proc/100/root/x.conf": Self.config + "conntrack:\n  maxPerCore: 65536\n"], processes: [words])
        #expect(host.told() == ["kube-proxy: ?max ?buckets ?established ?close_wait"])
    }

    @Test func `one in another network namespace has nothing to do with this host`() throws {
        let host = try KubeTestHost(["proc/1/comm": "systemd\n"], processes: [["kube-proxy", "kube-proxy"]])
        try host.directory.write("", to: "proc/1/ns/x")
        try host.directory.write("", to: "proc/100/ns/x")
        try host.link("proc/1/ns/net", to: "net:[4026531840]")
        try host.link("proc/100/ns/net", to: "net:[4026532991]")
        #expect(host.told() == [])
    }

    @Test(
        arguments: [
            (["hyperkube", "/hyperkube", "kube-proxy", "--conntrack-max-per-core=65536"], 1),
            (["hyperkube", "/hyperkube", "proxy", "--conntrack-max-per-core=65536"], 1),
            (["hyperkube", "/hyperkube", "kubelet", "--conntrack-max-per-core=65536"], 0),
        ])
    func `hyperkube runs it too`(_ process: [String], _ count: Int) throws {
        let told = try KubeTestHost(processes: [process]).told()
        #expect(told.count == count)
        #expect(told.allSatisfy { $0.hasPrefix("kube-proxy: max>=262144 ") })
    }
}
