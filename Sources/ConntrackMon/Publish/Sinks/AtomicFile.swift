// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// Replaces the file at `path` as a whole: readers see the old content or the new, never a part. When anything fails
/// (the disk is full) the old file stays as it was and no temporary one is left.
///
/// The temporary name begins with a dot and ends in .tmp, so that no textfile collector takes it for a metrics file.
func replaceFile(at path: String, with text: String) throws(SystemError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let temporary = "\(folder).\(name).\(getpid()).tmp"

    // Left behind by a killed monitor that had the same process id; nobody else uses this name.
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw SystemError("create", temporary, errno) }
    do throws(SystemError) {
        defer { close(descriptor) }
        // The umask must not make it unreadable for the collector.
        fchmod(descriptor, 0o644)
        try writeAll(text, to: descriptor, path: temporary)
    } catch {
        unlink(temporary)
        throw error
    }
    guard rename(temporary, path) == 0 else {
        let code = errno
        unlink(temporary)
        throw SystemError("replace", path, code)
    }
}

private func writeAll(_ text: String, to descriptor: Int32, path: String) throws(SystemError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw SystemError("write", path, count < 0 ? errno : EIO) }
        bytes = bytes.dropFirst(count)
    }
}
