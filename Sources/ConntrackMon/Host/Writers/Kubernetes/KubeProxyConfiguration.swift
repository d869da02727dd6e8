// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Where kube-proxy's configuration is found.
enum KubeProxyConfiguration {
    /// More pods are not looked at; a node has 110 by default.
    private static let podLimit = 256
    private static let volumeLimit = 16
    /// Files are read until then, of whatever pods, and looked for.
    private static let fileLimit = 32
    private static let lookLimit = 2048
    private static let pods = [
        "/var/lib/kubelet/pods", "/var/lib/k0s/kubelet/pods", "/var/snap/microk8s/common/var/lib/kubelet/pods",
    ]
    /// What kubeadm, k0s, EKS and others call it.
    static let names = ["config.conf", "config", "config.yaml", "kube-proxy.conf", "kubeproxy.conf"]

    /// Whether a path leads to a file of the host, and not to one that a pod gets from a ConfigMap.
    static func isOnHost(_ path: String, _ tree: FileTree) -> Bool {
        let mounts = ["/var/lib/kube-proxy/config.conf", "/var/lib/kube-proxy-config/"]
        return tree.exists(path) && !mounts.contains(where: path.hasPrefix)
            && !occurs("/volumes/kubernetes.io~configmap/", in: path)
    }

    /// The one that a program names, where the program itself sees it, or else in a ConfigMap's volume.
    static func named(_ path: String, read: (String) -> (file: String, text: String)?, _ tree: FileTree) -> (
        settings: KubeProxySettings, file: String
    )? {
        if let found = read(path), let settings = KubeProxySettings(found.text, file: found.file) {
            return (settings, found.file)
        }
        return inVolumes([path.split(separator: "/").last.map(String.init) ?? path], tree)
    }

    /// The first one in a volume that the kubelet made of a ConfigMap.
    static func inVolumes(_ names: [String], _ tree: FileTree) -> (settings: KubeProxySettings, file: String)? {
        var (count, looks) = (0, 0)
        for folder in pods {
            for pod in (tree.names(in: folder) ?? []).prefix(podLimit) {
                let maps = "\(folder)/\(pod)/volumes/kubernetes.io~configmap"
                for volume in (tree.names(in: maps) ?? []).prefix(volumeLimit)
                where volume.hasPrefix("config") || occurs("proxy", in: volume) {
                    for name in names {
                        let file = "\(maps)/\(volume)/\(name)"
                        looks += 1
                        guard count < fileLimit, looks <= lookLimit else { return nil }
                        guard let text = tree.text(file) else { continue }
                        count += 1
                        guard occurs("KubeProxyConfiguration", in: text),
                            let settings = KubeProxySettings(text, file: file)
                        else { continue }
                        return (settings, file)
                    }
                }
            }
        }
        return nil
    }
}
