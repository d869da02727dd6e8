// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// Replaces the file at `path` as a whole: readers see the old content or the new, never a part. When anything fails
/// (the disk is full) the old file stays as it was and no temporary one is left.
///
/// The temporary name begins with a dot and ends in .tmp, so that no textfile collector takes it for a metrics file.
func replaceFile(at path: String, with text: String, mode: mode_t = 0o644) throws(SystemError) {
    close(try replacedFile(at: path, with: text, mode: mode))
}

/// Likewise; returns the new file's descriptor. As long as that is open the file is locked (flock(2)), where the file system
/// has locks: so others see that it is somebody's.
func replacedFile(at path: String, with text: String, mode: mode_t = 0o644) throws(SystemError) -> Int32 {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let temporary = "\(folder).\(name).\(getpid()).tmp"

    // Left behind by a killed monitor that had the same process id; nobody else uses this name.
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemError("create", temporary, errno) }
    do throws(SystemError) {
        // Before it has its name, so that nobody finds it without. Nobody else can have it.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        // The umask must not make it unreadable for the collector.
        fchmod(descriptor, mode)
        try writeAll(text, to: descriptor, path: temporary)
        guard rename(temporary, path) == 0 else { throw SystemError("replace", path, errno) }
        return descriptor
    } catch {
        unlink(temporary)
        close(descriptor)
        throw error
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
