// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit

/// A host made of files: /proc, /sys and /run as `conntrack-mon` reads them.
final class FakeHost {
    let directory: TemporaryDirectory

    /// A host with nf_conntrack loaded, or (with `limit` nil) without it.
    init(entries: String = "100", limit: String? = "1000") throws {
        directory = try TemporaryDirectory()
        for folder in ["proc", "proc/sys", "proc/sys/net", "proc/sys/net/netfilter", "sys", "run", "etc"] {
            guard mkdir(directory.path(of: folder), 0o755) == 0 else { throw SystemError("mkdir \(folder)") }
        }
        if let limit {
            try load(entries: entries, limit: limit)
        }
    }

    /// Where the sysctls lie.
    var netfilter: String { directory.path(of: "proc/sys/net/netfilter") }
    var limitFile: String { netfilter + "/nf_conntrack_max" }
    var countFile: String { netfilter + "/nf_conntrack_count" }
    var runDirectory: String { directory.path(of: "run") }
    var textfile: String { directory.path(of: "conntrack.prom") }

    /// Puts both sysctls there, each as a whole.
    func load(entries: String, limit: String) throws {
        try replace(countFile, with: entries)
        try replace(limitFile, with: limit)
        try directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
    }

    /// The module goes and comes back with another limit, faster than anybody looks. refcnt first: a sysctl alone that
    /// is made anew is another network namespace's.
    func reload(limit: String) throws {
        try replace(directory.path(of: "sys/module/nf_conntrack/refcnt"), with: "0")
        try replace(limitFile, with: limit)
    }

    /// Takes the module away.
    func unload() throws {
        try directory.write("", to: "sys/module/gone")
        guard unlink(limitFile) == 0, unlink(countFile) == 0 else { throw SystemError("unlink") }
        _ = ctk_remove_tree(directory.path(of: "sys/module/nf_conntrack"))
    }

    /// A new file in the old one's place, as after a reload.
    func replace(_ path: String, with text: String) throws {
        try writeFile(FakeHost.padded(text), to: path + ".new")
        guard rename(path + ".new", path) == 0 else { throw SystemError("rename \(path)") }
    }

    /// Another content in the same file, in one write, as by sysctl(8): nobody ever reads it empty.
    func overwrite(_ path: String, with text: String) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        defer { close(descriptor) }
        let bytes = Array(FakeHost.padded(text).utf8)
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { throw SystemError("write \(path)") }
    }

    /// Line feeds behind the number, so that every content has one length.
    private static func padded(_ text: String) -> String {
        text + String(repeating: "\n", count: max(1, 32 - text.utf8.count))
    }

    /// `conntrack-mon COMMAND` about this host.
    func command(_ name: String, arguments: [String]) throws -> Command {
        let places = [
            "--procfs", directory.path(of: "proc"), "--sysfs", directory.path(of: "sys"), "--root", directory.path,
        ]
        return try .conntrackMon([name] + places + arguments)
    }

    /// Runs `conntrack-mon COMMAND` to its end.
    func run(_ name: String, _ arguments: String...) throws -> Command.Outcome {
        try command(name, arguments: arguments).run()
    }

    /// `watch` with short periods and without events, to the end that `arguments` set.
    func runWatch(_ arguments: String...) throws -> Command.Outcome {
        try watchCommand(arguments: arguments).run()
    }

    /// The same, until it is stopped.
    func watch(_ arguments: String...) throws -> RunningWatch {
        try RunningWatch(host: self, watchCommand(arguments: arguments))
    }

    /// The command of `watch(_:)`.
    func watchCommand(arguments: [String]) throws -> Command {
        try command("watch", arguments: ["--source", "none", "--sample", "5ms", "--interval", "20ms"] + arguments)
    }
}

extension Command {
    /// The program that was built along with the tests.
    static func conntrackMon(_ arguments: [String]) throws -> Command {
        Command(
            try Repository.builtBinary(), arguments: arguments,
            environment: ["JOURNAL_STREAM": nil, "COLUMNS": "80"])
    }
}
