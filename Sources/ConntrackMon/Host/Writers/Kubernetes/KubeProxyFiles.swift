// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A kube-proxy that does not run, or whose process is not to be seen, from what would start it.
enum KubeProxyFiles {
    private static let manifests = ["/etc/kubernetes/manifests", "/var/lib/rancher/rke2/agent/pod-manifests"]
    private static let units = ["kube-proxy", "snap.kube-proxy.daemon", "snap.k8s.kube-proxy"]
    /// What snaps give to kube-proxy.
    private static let arguments = ["/var/snap/kube-proxy/current/args", "/var/snap/k8s/common/args/kube-proxy"]

    static func found(_ sources: WriterSources) -> KubeProxy? {
        if let proxy = ofManifest(sources) ?? ofUnit(sources) { return proxy }
        // The rest is left by one that ran: where all processes are to be seen, it does so no longer.
        return KubeProcess.areAll(sources) ? nil : leftBehind(sources)
    }

    private static func proxy(
        _ words: [KubeProxyFlags.Word], _ evidence: Evidence, _ version: KubeVersion?, in place: String,
        _ sources: WriterSources
    ) -> KubeProxy? {
        let flags = KubeProxyFlags(words)
        guard !flags.onlyExits else { return nil }
        return KubeProxy(
            name: "kube-proxy", flags: flags, evidence: evidence, version: version, isRunning: false, place: place,
            read: { path in sources.tree.text(path).map { (path, $0) } })
    }

    private static func plain(_ words: [String]) -> [KubeProxyFlags.Word] { words.map { .init(text: $0) } }

    /// A pod that the kubelet starts from a file.
    private static func ofManifest(_ sources: WriterSources) -> KubeProxy? {
        for folder in manifests {
            // The kubelet takes every file whose name does not begin with a dot: kube-proxy.manifest too.
            let names = (sources.tree.names(in: folder) ?? []).filter { $0.first != "." && occurs("proxy", in: $0) }
            for file in names.prefix(8).map({ "\(folder)/\($0)" }) {
                guard let pod = sources.tree.text(file).flatMap(YAMLText.documents)?.first else { continue }
                for container in pod["spec"]?["containers"]?.items ?? [] {
                    guard let words = words(of: container) else { continue }
                    let version = container["image"]?.text.flatMap { KubeVersion(image: $0) }
                    let evidence = Evidence(file: file, line: container.line, text: words.joined(separator: " "))
                    if let found = proxy(plain(words), evidence, version, in: file, sources) { return found }
                }
            }
        }
        return nil
    }

    /// The words of a container that runs kube-proxy. One may be a whole line for a shell, as GKE's and kOps' are.
    private static func words(of container: YAMLNode) -> [String]? {
        let command = (container["command"]?.items ?? []).compactMap(\.text)
        let words = (command + (container["args"]?.items ?? []).compactMap(\.text)).flatMap { text in
            text.contains(where: \.isWhitespace) ? KubeUnit.split(text) : [text]
        }
        let programs = words.map { $0.split(separator: "/").last ?? "" }
        if let start = programs.firstIndex(of: "kube-proxy") { return Array(words[start...]) }
        if let start = programs.firstIndex(of: "hyperkube"), start + 1 < words.count, words[start + 1] == "proxy" {
            return Array(words[start...])
        }
        return nil
    }

    private static func ofUnit(_ sources: WriterSources) -> KubeProxy? {
        for name in units {
            guard let unit = KubeUnit(name, sources.tree), unit.isEnabled else { continue }
            for file in arguments where name != "kube-proxy" {
                guard let words = MicroK8sWriters.words(of: file, sources.tree) else { continue }
                return proxy(words, Evidence(file: file, text: ""), nil, in: file, sources)
            }
            if name == "kube-proxy" { return proxy(plain(unit.words), unit.evidence, nil, in: unit.file, sources) }
        }
        return nil
    }

    /// A configuration, in a pod's volume or on the host.
    private static func leftBehind(_ sources: WriterSources) -> KubeProxy? {
        let tree = sources.tree
        let onHost = KubeProxyConfiguration.names.map { "/var/lib/kube-proxy/\($0)" }
        let file =
            KubeProxyConfiguration.inVolumes(KubeProxyConfiguration.names, tree)?.file
            ?? onHost.first { file in tree.text(file).map { KubeProxySettings($0, file: file) != nil } ?? false }
        guard let file else { return nil }
        return proxy(plain(["--config=\(file)"]), Evidence(file: file, text: ""), nil, in: file, sources)
    }
}
