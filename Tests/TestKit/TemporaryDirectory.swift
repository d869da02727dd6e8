// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// A directory of its own, removed with all that is in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// Its absolute path, without a slash at the end.
    public let path: String

    /// Makes the directory below TMPDIR, or /tmp.
    public init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/conntrack-mon-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp \(parent)") }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit {
        _ = ctk_remove_tree(path)
    }

    /// The path of something inside.
    public func path(of name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file inside, with the directories that lead to it, and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let parts = name.split(separator: "/")
        for count in 1..<max(parts.count, 1) {
            let directory = path(of: parts.prefix(count).joined(separator: "/"))
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw SystemError("mkdir \(directory)") }
        }
        try writeFile(text, to: path(of: name))
        return path(of: name)
    }

    /// The contents of a file inside.
    public func read(_ name: String) throws -> String {
        try readFile(path(of: name))
    }
}

extension TemporaryDirectory {
    /// Writes a file inside, or makes a link to what follows "-> " in `text`.
    public func put(_ text: String, at name: String) throws {
        guard text.hasPrefix("-> ") else {
            try write(text, to: name)
            return
        }
        // With the directories that lead to it.
        try write("", to: name)
        guard unlink(path(of: name)) == 0, symlink(String(text.dropFirst(3)), path(of: name)) == 0 else {
            throw SystemError("symlink \(path(of: name))")
        }
    }
}
