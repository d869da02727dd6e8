// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Programs that write nf_conntrack settings, or hold the module, besides the firewall.
struct Programs: Equatable, Sendable {
    /// What shows that Docker is there.
    var docker: Evidence?
    /// What shows that kube-proxy is there.
    var kubeProxy: Evidence?
    /// kube-proxy's --conntrack-max-per-core and --conntrack-min; its defaults where not given on its command line.
    var maxPerCore: UInt64 = 32_768
    var minimum: UInt64 = 131_072
    /// What ufw writes when it starts.
    var ufwSettings: [ConfiguredValue] = []
    /// ufw is enabled.
    var ufw: Evidence?

    /// More processes are not looked at: a look must stay cheap.
    private static let processLimit = 4096

    init(tree: FileTree, procfs: FileTree) {
        if let file = ["/run/docker.pid", "/etc/docker/daemon.json", "/var/lib/docker"].first(where: tree.exists) {
            docker = Evidence(file: file, line: nil, text: "")
        }
        // Processes are asked only where a kubelet has left something.
        let marks = ["/var/lib/kubelet", "/etc/kubernetes", "/var/lib/kube-proxy", "/var/lib/rancher"]
        if let mark = marks.first(where: tree.exists) { findKubeProxy(mark, tree, procfs) }
        readUfw(tree)
    }

    private mutating func findKubeProxy(_ mark: String, _ tree: FileTree, _ procfs: FileTree) {
        let processes = (procfs.names(in: "/") ?? []).filter { $0.first?.isNumber == true }
        for process in processes.prefix(Programs.processLimit) where procfs.text("/\(process)/comm") == "kube-proxy\n" {
            let words = (procfs.text("/\(process)/cmdline") ?? "").split(separator: "\0").map(String.init)
            kubeProxy = Evidence(file: "/proc/\(process)/cmdline", line: nil, text: words.joined(separator: " "))
            maxPerCore = Programs.option("--conntrack-max-per-core", in: words) ?? maxPerCore
            minimum = Programs.option("--conntrack-min", in: words) ?? minimum
            return
        }
        if tree.exists("/var/lib/kube-proxy") { kubeProxy = Evidence(file: "/var/lib/kube-proxy", line: nil, text: "") }
    }

    private static func option(_ name: String, in words: [String]) -> UInt64? {
        words.last { $0.hasPrefix(name + "=") }.flatMap { UInt64($0.dropFirst(name.utf8.count + 1)) }
    }

    /// The least that kube-proxy sets the limit to; nil when it leaves it alone.
    func kubeProxyLimit(cores: Int?) -> UInt64? {
        guard kubeProxy != nil, let cores, maxPerCore > 0, maxPerCore < 1 << 31 else { return nil }
        return max(maxPerCore * UInt64(cores), minimum)
    }

    private mutating func readUfw(_ tree: FileTree) {
        let isOn = ModuleConfiguration.lines(of: "/etc/ufw/ufw.conf", in: tree).last { $0.text.hasPrefix("ENABLED=") }
        guard let isOn, isOn.text == "ENABLED=yes" else { return }
        ufw = Evidence(file: "/etc/ufw/ufw.conf", line: isOn.number, text: isOn.text)
        let setting = ModuleConfiguration.lines(of: "/etc/default/ufw", in: tree).last {
            $0.text.hasPrefix("IPT_SYSCTL=")
        }
        let file =
            setting.map { $0.text.dropFirst("IPT_SYSCTL=".count).filter { $0 != "\"" } } ?? "/etc/ufw/sysctl.conf"
        guard let text = tree.text(file) else { return }
        for assignment in SysctlSyntax.parse(text).assignments {
            guard let value = assignment.value, let name = assignment.key.split(separator: "/").last,
                name.hasPrefix("nf_conntrack_")
            else { continue }
            ufwSettings.append(
                ConfiguredValue(
                    key: String(name), value: value, number: SysctlSyntax.number(value), file: file,
                    line: assignment.line, writtenAs: assignment.writtenAs))
        }
    }
}
