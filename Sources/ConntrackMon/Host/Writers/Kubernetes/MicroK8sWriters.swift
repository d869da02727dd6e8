// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// microk8s, whose kubelite runs kube-proxy inside, with the words of a file.
enum MicroK8sWriters {
    private static let arguments = "/var/snap/microk8s/current/args/kube-proxy"
    private static let unit = "snap.microk8s.daemon-kubelite"

    static func all(_ sources: WriterSources) -> [Writer] {
        let process = KubeProcess.named(["kubelite"], in: sources).first
        let isExpected = process != nil || KubeUnit(unit, sources.tree)?.isEnabled ?? false
        guard isExpected || !KubeProcess.areAll(sources) else { return [] }
        let file = process.flatMap { argument("--proxy-args-file", of: $0.words) } ?? arguments
        guard let words = words(of: file, sources.tree), !words.isEmpty else { return [] }
        let flags = KubeProxyFlags(words)
        guard !flags.onlyExits else { return [] }
        let line = words.map(\.text).joined(separator: " ")
        let proxy = KubeProxy(
            name: "microk8s", flags: flags, evidence: process?.evidence ?? Evidence(file: file, text: line),
            version: process?.version ?? KubeProcess.version(ofSnap: "/snap/microk8s/current", sources.tree),
            isRunning: process != nil, place: file, read: { path in sources.tree.text(path).map { (path, $0) } })
        let writer = proxy.writer(sources)
        // Its wrapper loads the module before, where it is not there.
        let load = Writer.Act.load(module: "nf_conntrack", nil)
        return [proxy.writer([load] + (writer?.acts ?? []), cure: writer?.cure ?? KubeCure.flags(in: file))]
            .compactMap { $0 }
    }

    private static func argument(_ name: String, of words: [String]) -> String? {
        words.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// As kubelite reads such a file: quotes go, words end at blanks, lines with # are none.
    static func words(of file: String, _ tree: FileTree) -> [KubeProxyFlags.Word]? {
        guard let text = tree.text(file) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(256)
        return lines.enumerated().flatMap { index, line -> [KubeProxyFlags.Word] in
            let line = line.drop { $0.isWhitespace }
            guard line.first != "#" else { return [] }
            let evidence = Evidence(file: file, line: index + 1, text: String(line).trimmed)
            return line.filter { $0 != "\"" && $0 != "'" }.split(whereSeparator: \.isWhitespace).map {
                KubeProxyFlags.Word(text: String($0), evidence: evidence)
            }
        }
    }
}
