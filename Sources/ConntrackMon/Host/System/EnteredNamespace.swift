// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// What identifies the file by which a namespace is reached.
struct NamespaceFile: Equatable {
    let device: UInt64
    let inode: UInt64

    /// nil when there is none at `path`, or it may not be asked; errno says which.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// The network namespace that this process entered by a name, to see whether the name still leads there.
struct EnteredNamespace {
    private let path: String
    private let entered: NamespaceFile

    /// nil when it cannot be identified.
    init?(_ name: String) {
        guard let own = NetworkNamespace.own() else { return nil }
        self.init(path: NetworkNamespace.path(of: name), entered: own)
    }

    init(path: String, entered: NamespaceFile) {
        self.path = path
        self.entered = entered
    }

    /// nil when that cannot be told.
    var standing: NamespaceStanding? {
        if let now = NamespaceFile(path) { return now == entered ? .there : .replaced }
        return [ENOENT, ENOTDIR, ESRCH].contains(errno) ? .gone : nil
    }
}
