// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// What has kube-proxy inside: k3s, rke2, microk8s.
@Suite struct KubeRelativesTests {
    private static let wants = "etc/systemd/system/multi-user.target.wants/"
    private static let server = ["k3s-server", "/usr/local/bin/k3s server"]
    private static let config = "etc/rancher/k3s/config.yaml"
    private static let plain = "k3s: +nf_conntrack max=131072 established=86400 close_wait=3600"

    @Test(
        arguments: [
            (["etc/hostname": ""], plain),
            ([config: "kube-proxy-arg:\n  - \"conntrack-max-per-core=100000\"\n"], "100000"),
            ([config: "kube-proxy-arg: conntrack-max-per-core=100000\n"], "100000"),
            ([config: "kube-proxy-arg: [\"--conntrack-max-per-core=100000\"]\n"], "100000"),
            (
                [
                    config: "kube-proxy-arg:\n- conntrack-min=1\n",
                    config + ".d/10.yaml": "kube-proxy-arg:\n- conntrack-max-per-core=100000\n",
                ], "100000"
            ),
            (
                [
                    config: "kube-proxy-arg:\n- conntrack-max-per-core=100000\n",
                    config + ".d/10.yml": "kube-proxy-arg+:\n- conntrack-min=1\n",
                ], "100000"
            ),
            (
                [
                    config: "kube-proxy-arg:\n- conntrack-max-per-core=1\n",
                    config + ".d/10.yaml": "kube-proxy-arg+: conntrack-max-per-core=100000\n",
                ], "100000"
            ),
            (
                [
                    config + ".d/10.yaml": "kube-proxy-arg:\n- conntrack-max-per-core=100000\n",
                    config + ".d/10.txt": "kube-proxy-arg: x\n",
                ], "100000"
            ),
            (
                [config: "kube-proxy-arg: [\"conntrack-max-per-core=0\", \"conntrack-min=0\"]\n"],
                "k3s: +nf_conntrack established=86400 close_wait=3600"
            ),
            // It sets them all the same, for whatever takes the place of kube-proxy.
            ([config: "disable-kube-proxy: true\n"], plain),
        ])
    func `k3s sets what its arguments for kube-proxy say`(_ files: [String: String], _ told: String) throws {
        let host = try KubeTestHost(files, processes: [Self.server])
        // Its kube-proxy does it again, and does the hash too.
        let asked =
            "k3s: +nf_conntrack max=400000 established=86400 close_wait=3600 max>=400000 ?max=400000 buckets>=100000"
        #expect(host.told() == [told == "100000" ? asked : told])
    }

    @Test func `the line of its configuration is shown, and how to tell it`() throws {
        let host = try KubeTestHost(
            [Self.config: "write-kubeconfig-mode: \"0644\"\nkube-proxy-arg:\n  - \"conntrack-max-per-core=100000\"\n"],
            processes: [Self.server])
        let writer = try #require(host.writers().first)
        #expect(writer.evidence == Evidence(file: "/proc/100/cmdline", text: "/usr/local/bin/k3s server"))
        let line = Evidence(file: "/" + Self.config, line: 3, text: "kube-proxy-arg: conntrack-max-per-core=100000")
        #expect(writer.acts[1] == .set("nf_conntrack_max", 400_000, line))
        #expect(writer.cure?.contains("kube-proxy-arg: [\"conntrack-max-per-core=0\"") == true)
        #expect(writer.cure?.contains("/etc/rancher/k3s/config.yaml") == true)
        #expect(writer.when == .late && writer.isService)
    }

    @Test(arguments: [
        "--disable traefik --kube-proxy-arg=conntrack-max-per-core=200000",
        "--kube-proxy-arg conntrack-max-per-core=200000", "'--kube-proxy-arg=conntrack-max-per-core=200000'",
        "\\\n\t'--kube-proxy-arg' \\\n\t'conntrack-max-per-core=200000' \\\n",
        "-c /etc/other.yaml", "--config=/etc/other.yaml",
    ])
    func `the arguments that its title hides stand in its unit`(_ arguments: String) throws {
        let host = try KubeTestHost(
            [
                "etc/systemd/system/k3s.service":
                    "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \(arguments)\n",
                Self.wants + "k3s.service": "", "etc/other.yaml": "kube-proxy-arg: conntrack-max-per-core=200000\n",
                Self.config: arguments.contains("other") ? "kube-proxy-arg: conntrack-max-per-core=1\n" : "",
            ], processes: [Self.server])
        #expect(host.told().first?.hasPrefix("k3s: +nf_conntrack max=800000 ") == true)
        guard !arguments.contains("other"), case .write(let write)? = host.writers().first?.acts[1] else { return }
        let text = "--kube-proxy-arg=conntrack-max-per-core=200000"
        #expect(write.evidence == Evidence(file: "/etc/systemd/system/k3s.service", line: 2, text: text))
    }

    @Test func `arguments that are to be seen count`() throws {
        let words = ["k3s-agent", "/usr/local/bin/k3s", "agent", "--kube-proxy-arg", "conntrack-max-per-core=200000"]
        #expect(try KubeTestHost(processes: [words]).told().first?.hasPrefix("k3s: +nf_conntrack max=800000 ") == true)
    }

    @Test(arguments: [
        ["k3s", "k3s", "kubectl", "get", "pods"], ["containerd", "containerd"],
        ["k3s-server", "k3s", "server", "--rootless"], ["k3s-server", "k3s", "server", "--disable-agent"],
    ])
    func `what sets nothing is no writer`(_ process: [String]) throws {
        #expect(try KubeTestHost(processes: [process]).told() == [])
    }

    @Test func `without processes an enabled unit may start it`() throws {
        var files = [
            "etc/systemd/system/k3s.service": "[Service]\nExecStart=/usr/local/bin/k3s server\n",
            Self.wants + "k3s.service": "",
        ]
        #expect(try KubeTestHost(files).told() == ["may " + Self.plain])
        files[Self.wants + "k3s.service"] = nil
        #expect(try KubeTestHost(files).told() == [])
        #expect(try KubeTestHost([Self.config: "token: x\n"]).told() == ["may " + Self.plain])
        #expect(try KubeTestHost([Self.config: "token: x\n"], processes: [["bash", "bash"]]).told() == [])
        let script =
            "#!/sbin/openrc-run\ncommand=\"/usr/local/bin/k3s\"\ncommand_args=\"server \\\n"
            + "  '--kube-proxy-arg=conntrack-max-per-core=0' \\\n  >>/var/log/k3s.log 2>&1\"\n"
        #expect(
            try KubeTestHost(["etc/init.d/k3s": script, "etc/runlevels/default/k3s": ""]).told() == [
                "may k3s: +nf_conntrack established=86400 close_wait=3600"
            ])
    }

    @Test func `rke2 sets them itself, and its pod is given nothing to set`() throws {
        let pod = [
            "kube-proxy", "kube-proxy", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-close-wait=0s",
            "--conntrack-tcp-timeout-established=0s",
        ]
        let host = try KubeTestHost(
            ["etc/rancher/rke2/config.yaml": "kube-proxy-arg:\n  - conntrack-tcp-timeout-close-wait=90s\n"],
            processes: [["rke2", "/usr/local/bin/rke2 server"], pod])
        #expect(host.told() == ["rke2: +nf_conntrack max=131072 established=86400 close_wait=90"])
        #expect(host.writers().first?.cure?.contains("/etc/rancher/rke2/config.yaml") == true)
    }

    @Test func `microk8s takes its words from a file and its version from the snap`() throws {
        let folder = "var/snap/microk8s"
        let words = "# kube-proxy\n--cluster-cidr=10.1.0.0/16\n--conntrack-max-per-core \"65536\"\n"
        let process = [
            "kubelite", "/snap/microk8s/5372/kubelite", "--proxy-args-file=/\(folder)/5372/args/kube-proxy",
            "--start-control-plane=true",
        ]
        let host = try KubeTestHost(
            [
                "\(folder)/5372/args/kube-proxy": words,
                "snap/microk8s/5372/meta/snap.yaml": "name: microk8s\nversion: v1.28.1\n",
            ],
            processes: [process])
        #expect(
            host.told() == [
                "microk8s: +nf_conntrack max>=262144 buckets>=65536 established>=86400 close_wait>=3600"
            ])
        #expect(host.writers().first?.cure?.contains("/\(folder)/5372/args/kube-proxy") == true)

        let stopped = try KubeTestHost(["\(folder)/current/args/kube-proxy": "--conntrack-max-per-core=0\n"])
        #expect(
            stopped.told() == [
                "may microk8s: +nf_conntrack established>=86400 ?established=86400 close_wait>=3600 ?close_wait=3600"
            ])
    }
}
