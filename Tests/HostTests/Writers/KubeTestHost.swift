// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// A made-up node: files, processes, links.
struct KubeTestHost {
    let directory: TemporaryDirectory
    var cores: Int? = 4

    init(_ files: [String: String] = [:], processes: [[String]] = [], cores: Int? = 4) throws {
        directory = try TemporaryDirectory()
        self.cores = cores
        try directory.write("", to: "etc/hostname")
        for (path, text) in files { try directory.write(text, to: path) }
        // Each is its name and its words; the first has the id 100.
        for (index, process) in processes.enumerated() {
            try directory.write(process[0] + "\n", to: "proc/\(100 + index)/comm")
            let words = process.dropFirst().map { $0 + "\0" }.joined()
            try directory.write(words, to: "proc/\(100 + index)/cmdline")
        }
    }

    /// The path must have its folder.
    func link(_ path: String, to target: String) throws {
        try #require(symlink(target, directory.path(of: path)) == 0)
    }

    func sources(isLive: Bool = false) -> WriterSources {
        WriterSources(
            tree: FileTree(root: isLive ? "" : directory.path), procfs: FileTree(root: directory.path(of: "proc")),
            release: KernelRelease("6.1.0"), cores: cores, names: SettingNames(live: [String]()))
    }

    func writers(isLive: Bool = false) -> [Writer] { KubeProxyWriters.all(sources(isLive: isLive)) }

    /// What the writers do: "kube-proxy: max=131072, buckets>=32768, ?max=..." where it only may.
    func told(isLive: Bool = false) -> [String] {
        writers(isLive: isLive).map { writer in
            let acts = writer.acts.map(KubeTestHost.told).joined(separator: " ")
            return "\(writer.certainty == .certain ? "" : "may ")\(writer.name): \(acts)"
        }
    }

    static func told(_ act: Writer.Act) -> String {
        guard case .write(let write) = act else {
            if case .load(let module, _) = act { return "+\(module)" }
            return "reload"
        }
        let key = write.key.replacing("nf_conntrack_", with: "").replacing("tcp_timeout_", with: "")
        let mark = write.certainty == .certain ? "" : "?"
        return switch write.change {
        case .set(let value): "\(mark)\(key)=\(value)"
        case .raise(let value): "\(mark)\(key)>=\(value)"
        case .unknown: "\(mark)\(key)"
        }
    }
}
