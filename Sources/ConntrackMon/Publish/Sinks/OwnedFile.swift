// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// Why a file was not replaced.
enum FileFailure: Error, Equatable {
    /// A system call failed.
    case system(SystemError)
    /// Another process writes it and still runs; its process id, where the kernel tells.
    case owned(by: Int?)
}

/// A file that one process at a time replaces. The current one is kept open and locked (flock(2)); the lock goes with its
/// process, however that ends, and whoever writes next takes the file over. Where the file system has no locks nobody is
/// kept out.
///
/// Belongs to one thread.
final class OwnedFile {
    private let path: String
    private var descriptor: Int32 = -1
    private var identity: FileIdentity?

    /// Opens nothing yet.
    init(path: String) {
        self.path = path
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Replaces it as a whole, unless another process does.
    func replace(with text: String) throws(FileFailure) {
        // What another tool put there has no lock, and is replaced. It is kept until then, so that two who find it do not
        // both take it.
        var found: Int32 = -1
        defer { if found >= 0 { close(found) } }
        if let there = FileIdentity(path: path), there != identity {
            switch OwnedFile.lock(path) {
            case .taken(let descriptor): found = descriptor
            case .refused(let process): throw .owned(by: process)
            case .impossible: break
            }
        }
        do throws(SystemError) {
            let new = try replacedFile(at: path, with: text)
            if descriptor >= 0 { close(descriptor) }
            descriptor = new
            identity = FileIdentity(descriptor: new)
        } catch {
            throw .system(error)
        }
    }

    private enum Attempt {
        case taken(Int32)
        case refused(by: Int?)
        /// No such file, no locks here, or the lock of somebody who cannot write it.
        case impossible
    }

    private static func lock(_ path: String) -> Attempt {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return .impossible }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            // Its owner may have replaced it just now: then it is the new one that counts.
            if FileIdentity(path: path) == FileIdentity(descriptor: descriptor) { return .taken(descriptor) }
            close(descriptor)
            return refusal(path)
        }
        let code = errno
        close(descriptor)
        return code == EWOULDBLOCK ? refusal(path) : .impossible
    }

    /// By whom, if the kernel tells; it may be replaced while that is looked up.
    private static func refusal(_ path: String) -> Attempt {
        for _ in 0..<3 {
            guard let file = FileIdentity(path: path), let process = FileLocks.holder(of: file) else { continue }
            return FileLocks.mayWrite(process, owner: file.owner) ? .refused(by: process) : .impossible
        }
        return .refused(by: nil)
    }

    /// Whether a process that runs writes the file at `path`, and which, as far as the kernel tells.
    static func owner(of path: String) -> FileFailure? {
        switch lock(path) {
        case .taken(let descriptor):
            close(descriptor)
            return nil
        case .refused(let process): return .owned(by: process)
        case .impossible: return nil
        }
    }
}

/// Which file it is, whatever its name.
struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t
    /// Whose it is.
    let owner: uid_t

    /// Whether it is the same file.
    static func == (one: Self, other: Self) -> Bool {
        one.device == other.device && one.inode == other.inode
    }

    /// What has the name `path`, a link itself and not where it leads; nil = nothing, or it may not be asked.
    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        (device, inode, owner) = (status.st_dev, status.st_ino, status.st_uid)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        (device, inode, owner) = (status.st_dev, status.st_ino, status.st_uid)
    }
}
