// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// The files of a host: this one's, or a saved copy's under a folder.
///
/// Symbolic links are followed inside the folder only, an absolute one from its top, so that nothing of this machine is
/// taken for the saved host's. Whatever lies there is read boundedly: regular files alone, up to a limit of bytes.
struct FileTree: Sendable {
    /// What was found at a path.
    enum Content: Equatable {
        case missing
        /// Up to `textLimit` bytes; bytes that are no UTF-8 are replaced.
        case text(String)
        /// The system's words for why not.
        case unreadable(String)
    }

    /// Where the tree begins, without a slash at its end: "" for this machine.
    let root: String

    static let textLimit = 1 << 20
    /// As the kernel's MAXSYMLINKS.
    private static let linkLimit = 40
    private static let entryLimit = 4096
    /// /dev/null is character device 1:3 on every Linux.
    private static let nullDevice: dev_t = 0x103

    init(root: String) {
        var root = Substring(root)
        while root.hasSuffix("/") { root.removeLast() }
        self.root = String(root)
    }

    /// The path inside the tree that `path` leads to, links followed; nil in a loop of links.
    func resolve(_ path: String) -> String? {
        // On this machine the kernel does it, and cheaper.
        if root.isEmpty { return path }
        var pending: [Substring] = path.split(separator: "/").reversed()
        var found: [Substring] = []
        var links = 0
        while let part = pending.popLast() {
            if part == "." { continue }
            if part == ".." {
                _ = found.popLast()
                continue
            }
            let next = FileTree.joined(found + [part])
            guard let target = FileTree.link(root + next) else {
                found.append(part)
                continue
            }
            links += 1
            guard links <= FileTree.linkLimit else { return nil }
            if target.hasPrefix("/") { found = [] }
            pending += target.split(separator: "/").reversed()
        }
        return FileTree.joined(found)
    }

    /// What `path` is called with no link in it, to tell a file by; `path` itself where that can't be known.
    func canonical(_ path: String) -> String {
        guard root.isEmpty else {
            guard let resolved = resolve(path) else { return path }
            if mayBeLink(resolved), case .text(let text) = readFile(resolved),
                let target = keptLink(text, at: resolved)
            {
                return target
            }
            return resolved
        }
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// What a file holds.
    func read(_ path: String) -> Content {
        guard let resolved = resolve(path) else { return .unreadable(SystemError.text(ELOOP)) }
        let content = readFile(resolved)
        if !root.isEmpty, case .text(let text) = content, let target = keptLink(text, at: resolved) {
            return readFile(target)
        }
        return content
    }

    /// Where a file leads to that was a link before the host was saved: archives and version control that know no links
    /// keep what they led to as text, without a line feed at its end. nil for any other file.
    private func keptLink(_ text: String, at path: String) -> String? {
        guard !root.isEmpty, text.utf8.count < FileTree.pathLimit, text.hasPrefix("../") || text.hasPrefix("/"),
            text.utf8.count > 3,
            !text.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ";") })
        else { return nil }
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let target = resolve(text.hasPrefix("/") ? text : "/\(folder)/\(text)")
        return target.flatMap { $0 != path && isFile($0) ? $0 : nil }
    }

    private static let pathLimit = 256

    /// By its size.
    private func mayBeLink(_ resolved: String) -> Bool {
        var status = stat()
        return stat(root + resolved, &status) == 0 && status.st_size < FileTree.pathLimit
    }

    private func isFile(_ resolved: String) -> Bool {
        var status = stat()
        return stat(root + resolved, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private func readFile(_ resolved: String) -> Content {
        // A saved tree has no devices; a link to this one means an empty file.
        if resolved == "/dev/null" { return .text("") }
        // A fifo must not block the reader, a device must not be touched.
        let descriptor = open(root + resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(SystemError.text(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .unreadable(SystemError.text(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return status.st_rdev == FileTree.nullDevice ? .text("") : .unreadable("not a regular file")
        }
        return FileTree.content(of: descriptor)
    }

    /// The text of a file; nil when it is missing or can't be read.
    func text(_ path: String) -> String? {
        if case .text(let text) = read(path) { text } else { nil }
    }

    /// Whether something is there.
    func exists(_ path: String) -> Bool {
        guard let resolved = resolve(path) else { return false }
        return resolved == "/dev/null" || access(root + resolved, F_OK) == 0
    }

    /// Whether `path` itself is a symbolic link.
    func isLink(_ path: String) -> Bool {
        FileTree.link(root + path) != nil
    }

    /// The names in a folder, sorted by their bytes; nil when it is missing or can't be read.
    func names(in folder: String) -> [String]? {
        guard let resolved = resolve(folder), let directory = opendir(root + resolved) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < FileTree.entryLimit, let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted(by: FileTree.isBefore)
    }

    /// Whether a folder is there.
    func isFolder(_ path: String) -> Bool {
        var status = stat()
        guard let resolved = resolve(path), stat(root + resolved, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether a file may be executed by anybody. Not for links out of the tree.
    func isExecutable(_ path: String) -> Bool {
        var status = stat()
        guard let resolved = resolve(path), stat(root + resolved, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0
    }

    /// strcmp's order, whatever the characters.
    static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func joined(_ parts: [Substring]) -> String {
        parts.reduce(into: "") { $0 += "/" + $1 }
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink(path, base, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func content(of descriptor: Int32) -> Content {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < textLimit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return .unreadable(SystemError.text(errno)) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return .text(String(decoding: bytes, as: UTF8.self))
    }
}

/// Whether `word` occurs in `text`, by bytes.
func occurs(_ word: StaticString, in text: String) -> Bool {
    var text = text
    return text.withUTF8 { occurs(word, in: $0[...]) }
}

/// Whether `word` occurs in `bytes`.
func occurs(_ word: StaticString, in bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    let bytes = UnsafeBufferPointer(rebasing: bytes)
    return word.withUTF8Buffer { word in
        guard let first = word.first, bytes.count >= word.count else { return false }
        var start = 0
        while start <= bytes.count - word.count {
            if bytes[start] == first, zip(bytes[start...], word).allSatisfy(==) { return true }
            start += 1
        }
        return false
    }
}
