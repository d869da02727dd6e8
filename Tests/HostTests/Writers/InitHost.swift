// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit

@testable import ConntrackHost
@testable import ConntrackModel

/// A made-up host: files, links and what is executable.
struct InitHost {
    let directory: TemporaryDirectory
    var tree: FileTree { FileTree(root: directory.path) }
    var procfs: FileTree { FileTree(root: directory.path + "/proc") }

    /// - Parameter files: "path" is an empty one, "path > target" a link, "path = text" one with lines parted by "|", a "+"
    ///   before any makes it executable.
    init(_ files: [String]) throws {
        directory = try TemporaryDirectory()
        for file in files {
            let isExecutable = file.hasPrefix("+")
            let words = file.drop { $0 == "+" }
            if let parts = InitHost.split(words, at: " > ") {
                try directory.write("", to: parts.0)
                unlink(directory.path(of: parts.0))
                symlink(parts.1, directory.path(of: parts.0))
                continue
            }
            let parts = InitHost.split(words, at: " = ") ?? (String(words), "")
            let text = parts.1.replacing("|", with: "\n")
            try directory.write(text.isEmpty ? "" : text + "\n", to: parts.0)
            if isExecutable { chmod(directory.path(of: parts.0), 0o755) }
        }
    }

    func sources(release: String? = "6.6.31") -> WriterSources {
        WriterSources(
            tree: tree, procfs: procfs, release: release.flatMap { KernelRelease($0) }, cores: 2,
            names: SettingNames(live: []))
    }

    private static func split(_ text: some StringProtocol, at separator: String) -> (String, String)? {
        text.firstRange(of: separator).map { (String(text[..<$0.lowerBound]), String(text[$0.upperBound...])) }
    }
}
