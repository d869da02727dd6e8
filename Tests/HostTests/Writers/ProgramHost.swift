// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit

@testable import ConntrackHost
@testable import ConntrackModel

/// A made-up host: files, links and processes.
struct ProgramHost {
    let directory: TemporaryDirectory
    var release = KernelRelease("6.1.0-28-amd64")

    init(_ files: [(String, String)] = []) throws {
        directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
    }

    /// systemd starts these services at boot, and knows of a target's others.
    func enable(_ services: String...) throws {
        for service in ["cron"] + services {
            try directory.write("", to: "etc/systemd/system/multi-user.target.wants/\(service).service")
        }
    }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, directory.path(of: name)) == 0 else { throw SystemError("symlink \(name)") }
    }

    func run(_ words: String..., id: Int = 42) throws {
        let name = words[0].split(separator: "/").last.map(String.init) ?? ""
        try directory.write(String(name.prefix(15)) + "\n", to: "proc/\(id)/comm")
        try directory.write(words.map { $0 + "\0" }.joined(), to: "proc/\(id)/cmdline")
    }

    /// What is read of its files, while they are there.
    func read<Value>(_ body: (FileTree) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(directory) { try body(FileTree(root: directory.path)) }
    }

    /// The writers of a kind.
    func writers(_ all: (WriterSources) -> [Writer]) -> [Writer] {
        read { tree in
            all(
                WriterSources(
                    tree: tree, procfs: FileTree(root: directory.path(of: "proc")), release: release, cores: 4,
                    names: SettingNames(live: [], release: release)))
        }
    }
}

extension Writer {
    /// Its acts in short: "nf_conntrack_max=5", ">=5", "=?", "+nf_conntrack" for a load, "reload"; "~" before what only
    /// may be.
    var short: [String] {
        acts.map { act in
            switch act {
            case .load(let module, _): return "+\(module)"
            case .reload: return "reload"
            case .loadWith(let hashsize, let isReload, _): return "\(isReload ? "reload" : "load") with \(hashsize)"
            case .write(let write):
                let change =
                    switch write.change {
                    case .set(let number): "=\(number)"
                    case .raise(let number): ">=\(number)"
                    case .unknown: "=?"
                    }
                return (write.certainty == .certain ? "" : "~") + write.key.dropFirst("nf_conntrack_".count) + change
            }
        }
    }

    /// Where each of its writes stands.
    var places: [String] {
        acts.map { $0.evidence.map { "\($0.file):\($0.line ?? 0)" } ?? "" }
    }
}
