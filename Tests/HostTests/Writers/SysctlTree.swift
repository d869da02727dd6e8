// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import TestKit

@testable import ConntrackHost

/// Files of a host, made for the purpose, and what is read in them.
struct SysctlTree {
    private let directory: TemporaryDirectory
    private let sources: WriterSources

    /// - Parameters:
    ///   - files: Path and text; a text that begins with "-> " is where a link leads.
    ///   - release: nil for a kernel that is not known.
    init(_ files: [(String, String)], release: String? = "6.1.0", live: [String] = []) throws {
        directory = try TemporaryDirectory()
        for (name, text) in files { try directory.put(text, at: name) }
        let release = release.flatMap { KernelRelease($0) }
        sources = WriterSources(
            tree: FileTree(root: directory.path), procfs: FileTree(root: directory.path + "/proc"), release: release,
            cores: 4, names: SettingNames(live: live, release: release))
    }

    /// The files are there until then.
    func read<Result>(_ body: (WriterSources) -> Result) -> Result {
        withExtendedLifetime(directory) { body(sources) }
    }

    /// What a run writes: "nf_conntrack_max=5", with a question mark where it only may.
    func writes(_ run: SysctlRun) -> [String] { read { run.acts(in: $0).map(\.shown) } }
}

extension Writer.Act {
    var shown: String {
        switch self {
        case .write(let write): write.shown
        case .load(let module, _): "load \(module)"
        case .reload: "reload"
        case .loadWith(let hashsize, _, _): "load with \(hashsize)"
        }
    }
}

extension Write {
    var shown: String {
        let doubt = certainty == .certain ? "" : "?"
        switch change {
        case .set(let number): return "\(key)=\(number)\(doubt)"
        case .raise(let number): return "\(key)>=\(number)\(doubt)"
        case .unknown: return "\(key) unknown"
        }
    }
}
