// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon
import Glibc

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(name: .customLong("procfs"), help: ArgumentHelp("Where /proc is.", valueName: "dir"))
    var procfs = "/proc"

    @Option(name: .customLong("sysfs"), help: ArgumentHelp("Where /sys is.", valueName: "dir"))
    var sysfs = "/sys"

    @Option(
        name: .customLong("root"), help: ArgumentHelp("Prefix for look-ups in /etc, /run, /usr/lib.", valueName: "dir"))
    var root = "/"

    @Option(
        name: .customLong("netns"),
        help: ArgumentHelp(
            "Look at this network namespace: a name as `ip netns` lists it, or a path.", valueName: "name"))
    var netns: String?

    @Option(
        name: .customLong("run-dir"),
        help: ArgumentHelp(
            "Where status.json lies. (default: /run/conntrack-mon where that folder exists)", valueName: "dir"))
    var runDirectory: String?

    /// Enters the namespace, checks that /proc can be believed, and fills in what is shared. Before any thread starts.
    func apply(to settings: inout Settings) throws {
        settings.netns = netns
        if let netns { try NetworkNamespace.enter(netns) }
        settings.procfs = GlobalOptions.trimmed(procfs)
        settings.sysfs = GlobalOptions.trimmed(sysfs)
        guard isFolder(procfs) else { throw Failure("--procfs \(procfs): no such folder") }
        if let mismatch = NetworkNamespace.mismatch(procfs: settings.procfs) { throw Failure(mismatch) }

        settings.root = GlobalOptions.trimmed(root)
        let usual = settings.root + "/run/conntrack-mon"
        if let runDirectory, !isFolder(runDirectory) { throw Failure("--run-dir \(runDirectory): no such folder") }
        settings.runDirectory = runDirectory ?? (isFolder(usual) ? usual : nil)
    }

    /// Without the slashes at its end; "" for "/".
    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// This host's name.
    static var host: String {
        var name = utsname()
        uname(&name)
        return withUnsafePointer(to: &name.nodename) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }
}

/// Could not go on: exit code 1, one line.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Whether a file at `path` may be replaced as a whole.
func isPlainFileOrNone(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
}

/// Whether `path` is a folder.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
