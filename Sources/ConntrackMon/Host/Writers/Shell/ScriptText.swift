// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Which files are scripts, and which of those are worth a look.
enum ScriptText {
    /// Whether a text can do anything to conntrack: by a name of it, or by applying a host's configuration.
    static func concernsUs(_ text: String) -> Bool {
        occurs("conntrack", in: text) || occurs("sysctl", in: text) || occurs("procps", in: text)
    }
}

extension FileTree {
    private static let scriptLimit = 256 << 10

    /// The text of a script; nil for programs of another kind, which are not read. What is sourced needs no first line.
    func script(_ path: String, isSourced: Bool = false) -> String? {
        guard let resolved = resolve(path) else { return nil }
        let descriptor = open(root + resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= FileTree.scriptLimit
        else { return nil }
        var first = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(descriptor, &first, first.count)
        guard count > 0 else { return nil }
        let line = first[..<count].prefix { $0 != 0x0a }
        if !line.starts(with: "#!".utf8) { return isSourced && !first[..<count].contains(0) ? text(resolved) : nil }
        let words = line.dropFirst(2).split { $0 == 0x20 || $0 == 0x2f }.map { String(decoding: $0, as: UTF8.self) }
        let shells = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "openrc-run", "runscript", "sh.distrib"]
        return words.contains(where: shells.contains) ? text(resolved) : nil
    }
}
