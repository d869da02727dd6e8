// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// kube-proxy, and what embeds it. It sets what it is told to when it starts, and never again.
enum KubeProxyWriters {
    /// A running process decides; files only where there is none, and then it may run.
    static func all(_ sources: WriterSources) -> [Writer] {
        let rancher = RancherWriters.all(sources)
        let lite = MicroK8sWriters.all(sources)
        if let proxy = running(sources) { return rancher + lite + [proxy.writer(sources)].compactMap { $0 } }
        // k3s and microk8s have theirs inside.
        let hasOwn = !lite.isEmpty || rancher.contains { $0.name == "k3s" }
        guard !hasOwn, let proxy = KubeProxyFiles.found(sources) else { return rancher + lite }
        return rancher + lite + [proxy.writer(sources)].compactMap { $0 }
    }

    /// A kube-proxy of its own process.
    private static func running(_ sources: WriterSources) -> KubeProxy? {
        let alone = KubeProcess.named(["kube-proxy"], in: sources)
        let hyper = KubeProcess.named(["hyperkube"], in: sources).filter {
            $0.words.count > 1 && ["kube-proxy", "proxy"].contains($0.words[1])
        }
        guard let process = (alone + hyper).first(where: { !KubeProxyFlags($0.words).onlyExits }) else { return nil }
        // A saved host may have its name alone.
        if process.words.isEmpty, var proxy = KubeProxyFiles.found(sources) {
            proxy.isRunning = true
            return proxy
        }
        return KubeProxy(
            name: "kube-proxy", flags: KubeProxyFlags(process.words), evidence: process.evidence,
            version: process.version, isRunning: true, read: process.read)
    }
}

/// One kube-proxy, wherever it was found.
struct KubeProxy {
    var name: String
    var flags: KubeProxyFlags
    var evidence: Evidence
    var version: KubeVersion?
    var isRunning: Bool
    /// Where its flags stand, for the cure: "/etc/kubernetes/manifests/kube-proxy.yaml".
    var place: String?
    /// How it reads a file.
    var read: (String) -> (file: String, text: String)?

    /// nil where it sets nothing.
    func writer(_ sources: WriterSources) -> Writer? {
        let acts: [Writer.Act]
        let cure: String
        if let config = flags.config {
            let found = KubeProxyConfiguration.named(config, read: read, sources.tree)
            acts = (found?.settings ?? unseen(sources)).acts(
                version: version, cores: sources.cores, live: live(sources))
            cure = KubeCure.configuration(config, isOnHost: KubeProxyConfiguration.isOnHost(config, sources.tree))
        } else if isRunning, evidence.text.isEmpty {
            acts = unseen(sources).acts(version: version, cores: sources.cores, live: live(sources))
            cure = KubeCure.flags(in: nil)
        } else {
            acts = KubeProxySettings(flags).acts(version: version, cores: sources.cores, live: live(sources))
            cure = KubeCure.flags(in: place)
        }
        return writer(acts, cure: cure)
    }

    func writer(_ acts: [Writer.Act], cure: String) -> Writer? {
        guard !acts.isEmpty else { return nil }
        return Writer(
            name: name, when: .late, acts: acts, evidence: evidence, certainty: isRunning ? .certain : .may,
            isService: true, cure: cure)
    }

    /// Where its configuration is not to be read.
    func unseen(_ sources: WriterSources) -> KubeProxySettings {
        KubeProxySettings(seenIn: live(sources), version: version, cores: sources.cores)
    }

    /// What is live, where it runs and may have set it.
    private func live(_ sources: WriterSources) -> (String) -> UInt64? {
        { key in
            guard isRunning else { return nil }
            return sources.procfs.text("/sys/net/netfilter/" + key).flatMap { UInt64($0.filter { !$0.isWhitespace }) }
        }
    }
}

/// What makes kube-proxy and its relatives leave settings alone. From their sources: 0 leaves each of them as it is, and
/// the minimum counts with a number by core only.
enum KubeCure {
    static func flags(in place: String?) -> String {
        let file = place.map { " in \($0)" } ?? ""
        return "give kube-proxy --conntrack-max-per-core=0 and --conntrack-min=0\(file) (for the timeouts "
            + "--conntrack-tcp-timeout-established=0s and --conntrack-tcp-timeout-close-wait=0s)"
    }

    static func configuration(_ path: String, isOnHost: Bool) -> String {
        let settings = "set conntrack.maxPerCore: 0 and conntrack.min: 0"
        let times = "(for the timeouts tcpEstablishedTimeout: 0s and tcpCloseWaitTimeout: 0s)"
        if isOnHost { return "\(settings) in \(path) \(times)" }
        // Amazon's has another name.
        let map = occurs("/kube-proxy-config/", in: path) ? "kube-proxy-config" : "kube-proxy"
        return "\(settings) in the ConfigMap \(map): kubectl -n kube-system edit configmap \(map) \(times)"
    }

    static func arguments(of program: String) -> String {
        "set kube-proxy-arg: [\"conntrack-max-per-core=0\", \"conntrack-min=0\"] in /etc/rancher/\(program)/config.yaml "
            + "(for the timeouts \"conntrack-tcp-timeout-established=0s\", \"conntrack-tcp-timeout-close-wait=0s\")"
    }
}
