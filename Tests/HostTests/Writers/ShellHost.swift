// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit

@testable import ConntrackHost
@testable import ConntrackModel

/// A host made of files, and a short way to write down what writers do there.
struct ShellHost {
    let directory: TemporaryDirectory

    /// - Parameter executable: The files that may be run.
    init(_ files: [String: String] = [:], executable: [String] = [], links: [(String, String)] = []) throws {
        directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
        for name in executable { chmod(directory.path(of: name), 0o755) }
        for (name, target) in links {
            try directory.write("", to: name)
            unlink(directory.path(of: name))
            symlink(target, directory.path(of: name))
        }
    }

    /// What writers are found here.
    func writers(_ find: (WriterSources) -> [Writer], release: String? = "6.1.0") -> [Writer] {
        withExtendedLifetime(directory) { find(sources(release: release)) }
    }

    func sources(release: String? = "6.1.0") -> WriterSources {
        let tree = FileTree(root: directory.path)
        return WriterSources(
            tree: tree, procfs: FileTree(root: directory.path + "/proc"),
            release: release.flatMap { KernelRelease($0) },
            cores: 4, names: SettingNames(live: [String]()))
    }

    /// "nf_conntrack_max=5", with a question mark where it only may be; "load MODULE", "reload".
    static func text(_ act: Writer.Act) -> String {
        switch act {
        case .load(let module, _): return "load \(module)"
        case .reload: return "reload"
        case .loadWith(let size, let isReload, _): return "\(isReload ? "reload" : "load") hashsize=\(size)"
        case .write(let write):
            let value =
                switch write.change {
                case .set(let number): "\(number)"
                case .raise(let number): ">\(number)"
                case .unknown: "unknown"
                }
            return "\(write.key)=\(value)" + (write.certainty == .certain ? "" : "?")
        }
    }

    static func text(_ moment: Writer.Moment) -> String {
        switch moment {
        case .load(let module): "load \(module)"
        case .uevent(let module): "uevent \(module)"
        case .firewall(let kind): "firewall \(kind?.rawValue ?? "any")"
        case .early: "early"
        case .boot: "boot"
        case .late: "late"
        case .always: "always"
        }
    }

    /// "late /etc/rc.local: load nf_conntrack, nf_conntrack_max=5".
    static func text(_ writer: Writer) -> String {
        let sign = writer.certainty == .certain ? "" : "?"
        return "\(text(writer.when)) \(writer.name)\(sign): " + writer.acts.map { text($0) }.joined(separator: ", ")
    }
}
