// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// kube-proxy where no process is to be seen: what would start it, and what one has left.
@Suite struct KubeProxyFilesTests {
    private static let wants = "etc/systemd/system/multi-user.target.wants/"
    private static let times = "established=86400 close_wait=3600"
    private static let mayTimes =
        "established>=86400 ?established=86400 close_wait>=3600 ?close_wait=3600"
    private static let config = "kind: KubeProxyConfiguration\nconntrack:\n  maxPerCore: 65536\n"
    private static let volume = "var/lib/kubelet/pods/1/volumes/kubernetes.io~configmap/kube-proxy/config.conf"

    private static func pod(_ container: String) -> String {
        "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers:\n\(container)\n  volumes: []\n"
    }

    @Test(
        arguments: [
            // kubeadm-like, with its flags in a list.
            (
                "etc/kubernetes/manifests/kube-proxy.yaml",
                "  - name: kube-proxy\n    image: registry.k8s.io/kube-proxy:v1.27.3\n    command:\n"
                    + "    - kube-proxy\n    - --conntrack-max-per-core=65536\n    - --v=2",
                "max>=262144 buckets>=65536 established>=86400 close_wait>=3600"
            ),
            // kOps and GKE: a line for a shell.
            (
                "etc/kubernetes/manifests/kube-proxy.manifest",
                "  - command:\n    - /bin/sh\n    - -c\n    - exec kube-proxy --conntrack-max-per-core=65536"
                    + " 1>>/var/log/kube-proxy.log 2>&1\n    image: gcr.io/kube-proxy-amd64:v1.30.2\n    name: kube-proxy",
                "max=262144 buckets>=65536 \(times)"
            ),
            // rke2, which gives 0 for each.
            (
                "var/lib/rancher/rke2/agent/pod-manifests/kube-proxy.yaml",
                "  - args:\n    - --conntrack-max-per-core=65536\n    - --conntrack-tcp-timeout-close-wait=0s\n"
                    + "    - --conntrack-tcp-timeout-established=0s\n    command: [\"kube-proxy\"]\n"
                    + "    image: index.docker.io/rancher/hardened-kubernetes:v1.31.4-rke2r1-build20241212@sha256:00",
                "max=262144 buckets>=65536"
            ),
        ])
    func `a pod that the kubelet starts from a file`(_ file: String, _ container: String, _ told: String) throws {
        let host = try KubeTestHost([file: Self.pod(container)])
        #expect(host.told() == ["may kube-proxy: \(told)"])
        #expect(host.writers().first?.evidence.file == "/" + file)
        #expect(host.writers().first?.cure?.contains("/" + file) == true)
    }

    @Test func `a unit that starts it, with its files of variables`() throws {
        let unit = """
            [Service]
            EnvironmentFile=-/etc/kubernetes/config
            EnvironmentFile=-/etc/kubernetes/proxy
            Environment="KUBE_LOG=--v=2"
            ExecStart=/usr/bin/kube-proxy \\
                    $KUBE_LOG \\
                    $KUBE_PROXY_ARGS --conntrack-min=${LEAST}
            """
        let files = [
            "usr/lib/systemd/system/kube-proxy.service": unit,
            "etc/kubernetes/proxy":
                "# args\nKUBE_PROXY_ARGS=\"--conntrack-max-per-core=0 --conntrack-max-per-core 1\"\nLEAST=300000\n",
        ]
        // Nothing starts it at boot.
        #expect(try KubeTestHost(files).told() == [])
        var enabled = files
        enabled[Self.wants + "kube-proxy.service"] = ""
        let told = "may kube-proxy: max>=300000 ?max=300000 buckets>=75000 \(Self.mayTimes)"
        #expect(try KubeTestHost(enabled).told() == [told])
        // A process of the host decides, be it of another.
        #expect(try KubeTestHost(enabled, processes: [["kubelet", "kubelet"]]).told() == [told])
        #expect(try KubeTestHost(enabled).writers().first?.evidence.line == 5)
        enabled["etc/systemd/system/kube-proxy.service.d/10-args.conf"] =
            "[Service]\nExecStart=\nExecStart=/usr/bin/kube-proxy --cleanup\n"
        #expect(try KubeTestHost(enabled).told() == [])
    }

    @Test func `parts of a unit go by their names, those of a higher folder first`() throws {
        func part(_ most: Int) -> String {
            "[Service]\nExecStart=\nExecStart=-/usr/bin/kube-proxy --conntrack-min=\(most)\n"
        }
        let host = try KubeTestHost([
            "lib/systemd/system/kube-proxy.service": part(200_000), Self.wants + "kube-proxy.service": "",
            "lib/systemd/system/kube-proxy.service.d/20.conf": part(300_000),
            "usr/lib/systemd/system/kube-proxy.service.d/30.conf": part(400_000),
            "etc/systemd/system/kube-proxy.service.d/30.conf": part(500_000),
            "etc/systemd/system/kube-proxy.service.d/10.conf": part(600_000),
        ])
        #expect(host.told().first?.hasPrefix("may kube-proxy: max>=500000 ") == true)
    }

    @Test func `a process with a name alone takes its words from what starts it`() throws {
        let pod = Self.pod("  - image: x/kube-proxy:v1.30.0\n    command: [kube-proxy, --conntrack-max-per-core=65536]")
        let files = ["etc/kubernetes/manifests/kube-proxy.yaml": pod]
        let told = "kube-proxy: max=262144 buckets>=65536 \(Self.times)"
        #expect(try KubeTestHost(files, processes: [["kube-proxy"]]).told() == [told])
        #expect(
            try KubeTestHost(processes: [["kube-proxy"]]).told() == [
                "kube-proxy: ?max ?buckets ?established ?close_wait"
            ])
    }

    @Test func `what a pod of it left counts only where no process is to be seen`() throws {
        let told = ["may kube-proxy: max>=262144 ?max=262144 buckets>=65536 \(Self.mayTimes)"]
        #expect(try KubeTestHost([Self.volume: Self.config]).told() == told)
        let cilium = [["kubelet", "/usr/bin/kubelet"], ["cilium-agent", "cilium-agent"]]
        #expect(try KubeTestHost([Self.volume: Self.config], processes: cilium).told() == [])
        #expect(try KubeTestHost(["var/lib/kube-proxy/config.conf": Self.config]).told() == told)
    }

    @Test(arguments: [
        ["var/lib/kube-proxy/kubeconfig": "kind: Config\n"],
        ["var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n"],
        ["etc/kubernetes/manifests/kube-apiserver.yaml": pod("  - command: [kube-apiserver]")],
        ["etc/kubernetes/manifests/kube-proxy.yaml": "{\"kind\": [[["],
        ["etc/kubernetes/manifests/.kube-proxy.yaml": pod("  - command: [kube-proxy]")],
        [volume: "kind: Other\n"],
    ])
    func `a folder, or what is no kube-proxy, is no writer`(_ files: [String: String]) throws {
        #expect(try KubeTestHost(files).told() == [])
    }
}
