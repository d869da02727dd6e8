// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Who holds the locks of flock(2), as /proc/locks lists them.
enum FileLocks {
    /// Who holds the lock of `file`; nil when that is not told, as about a process in another pid namespace.
    static func holder(of file: FileIdentity) -> Int? {
        holder(of: file, in: text("/proc/locks"))
    }

    /// Whether a process may be who writes files that belong to `owner`: whoever reads one could lock it too, and keep us from
    /// writing. True when it cannot be told.
    static func mayWrite(_ process: Int, owner: uid_t) -> Bool {
        effectiveUser(inStatus: text("/proc/\(process)/status")).map { $0 == owner || $0 == 0 } ?? true
    }

    /// Of "Uid:\t0\t0\t0\t0" the second: real, effective, saved, file system. The owner of the folder in /proc is another one
    /// where a process wants it so (PR_SET_DUMPABLE).
    static func effectiveUser(inStatus text: String) -> uid_t? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("Uid:") }
        let words = line?.split(whereSeparator: \.isWhitespace) ?? []
        return words.count > 2 ? uid_t(words[2]) : nil
    }

    /// What is said of it behind what it does; "" for one that is not told.
    static func words(_ process: Int?) -> String {
        process.map { " (pid \($0), as /proc/locks says)" } ?? ""
    }

    /// "4: FLOCK  ADVISORY  WRITE 812 00:1a:5678 0 EOF". The device is the file system's own, which is not what stat(2) says
    /// of each (btrfs), so that it decides only between several.
    static func holder(of file: FileIdentity, in locks: String) -> Int? {
        var found: [(process: Int, device: Substring)] = []
        for line in locks.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", let process = Int(words[4]), process > 0,
                let colon = words[5].lastIndex(of: ":"), ino_t(words[5][words[5].index(after: colon)...]) == file.inode
            else { continue }
            found.append((process, words[5][..<colon]))
        }
        if found.count == 1 { return found[0].process }
        return found.first { $0.device == device(file.device) }?.process
    }

    /// As /proc/locks has it: "fe:01".
    private static func device(_ device: dev_t) -> String {
        func hex(_ number: dev_t) -> String {
            let text = String(number, radix: 16)
            return text.utf8.count < 2 ? "0" + text : text
        }
        let major = device >> 8 & 0xfff | device >> 32 & ~0xfff
        let minor = device & 0xff | device >> 12 & ~0xff
        return hex(major) + ":" + hex(minor)
    }

    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
