// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// A running program of Kubernetes, seen from the host: its words, the files that it sees, its container's image.
struct KubeProcess {
    let id: String
    let words: [String]
    let sources: WriterSources

    var evidence: Evidence {
        Evidence(file: "/proc/\(id)/cmdline", line: nil, text: words.joined(separator: " "))
    }

    /// Those of some names that set settings of this host. One in another network namespace (kind, k3d) has timeouts of
    /// its own and can't set the limit.
    static func named(_ names: [String], in sources: WriterSources) -> [KubeProcess] {
        let own = link("/1/ns/net", sources)
        return names.flatMap { sources.processes.named($0) }.filter { process in
            guard let own, let other = link("/\(process.id)/ns/net", sources) else { return true }
            return own == other
        }.map { KubeProcess(id: $0.id, words: sources.processes.words(of: $0), sources: sources) }
    }

    /// Whether what is not among the processes does not run: all were to be seen, as where /proc hides none.
    static func areAll(_ sources: WriterSources) -> Bool {
        let all = sources.processes.all
        // A listing of /proc ends at 4096 names, and has some sixty others.
        guard !all.isEmpty, all.count < 4000 else { return false }
        return !sources.tree.root.isEmpty || all.contains { $0.id == "1" }
    }

    private static func link(_ path: String, _ sources: WriterSources) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink(sources.procfs.root + path, base, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// A file that it reads: in its own mount namespace on a live host, which a saved copy does not have.
    func read(_ path: String) -> (file: String, text: String)? {
        guard path.hasPrefix("/") else { return nil }
        let found = sources.tree.text(path)
        if sources.tree.root.isEmpty {
            // Links are followed inside this folder only, by hand: a container may make any.
            let root = "/\(id)/root"
            if let text = FileTree(root: sources.procfs.root + root).text(path) {
                return (text == found ? path : "/proc\(root)\(path)", text)
            }
        }
        return found.map { (path, $0) }
    }

    /// The version of what it runs, from its snap or from the image of its container.
    var version: KubeVersion? {
        if let snap = words.first.flatMap(KubeProcess.snap) { return KubeProcess.version(ofSnap: snap, sources.tree) }
        guard let container = container else { return nil }
        let runtimes = [
            "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(container)/config.json",
            "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/\(container)/config.json",
            "/run/containers/storage/overlay-containers/\(container)/userdata/config.json",
            "/var/lib/containers/storage/overlay-containers/\(container)/userdata/config.json",
            "/var/lib/docker/containers/\(container)/config.v2.json",
        ]
        return runtimes.lazy.compactMap(sources.tree.text).compactMap(KubeProcess.imageVersion).first
    }

    /// "/snap/microk8s/1234" of "/snap/microk8s/1234/kubelite".
    private static func snap(_ program: String) -> String? {
        let parts = program.split(separator: "/")
        guard program.hasPrefix("/snap/"), parts.count > 3 else { return nil }
        return "/" + parts.prefix(3).joined(separator: "/")
    }

    static func version(ofSnap folder: String, _ tree: FileTree) -> KubeVersion? {
        let documents = tree.text(folder + "/meta/snap.yaml").flatMap(YAMLText.documents)
        return documents?.first?["version"]?.text.flatMap { KubeVersion($0) }
    }

    /// The 64 digits that container runtimes name a container's cgroup by.
    private var container: String? {
        guard let text = sources.procfs.text("/\(id)/cgroup") else { return nil }
        return text.utf8.split { !($0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x66) }.last { $0.count == 64 }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Of an image of kube-proxy's that a container runtime's JSON names.
    private static func imageVersion(_ json: String) -> KubeVersion? {
        let names: [StaticString] = ["kube-proxy", "hyperkube", "hardened-kubernetes"]
        return json.utf8.split(separator: UInt8(ascii: "\"")).lazy.filter { $0.count < 300 }.compactMap { part in
            let text = String(decoding: part, as: UTF8.self)
            return names.contains { occurs($0, in: text) } ? KubeVersion(image: text) : nil
        }.first
    }
}
