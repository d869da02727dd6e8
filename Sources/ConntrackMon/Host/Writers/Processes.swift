// SPDX-License-Identifier: GPL-3.0-or-later

/// The processes of a host by their names. Looked at boundedly: a look must stay cheap on hosts with thousands.
struct Processes: Sendable {
    struct Process: Equatable, Sendable {
        var id: String
        /// As in /proc/PID/comm, which has 15 bytes at most.
        var name: String
    }

    let all: [Process]
    private let procfs: FileTree
    private static let limit = 4096

    init(_ procfs: FileTree) {
        self.procfs = procfs
        let ids = (procfs.names(in: "/") ?? []).filter { $0.first?.isNumber == true }
        all = ids.prefix(Processes.limit).compactMap { id in
            guard let name = procfs.text("/\(id)/comm") else { return nil }
            return Process(id: id, name: name.last == "\n" ? String(name.dropLast()) : name)
        }
    }

    /// Those of a name, in the order of /proc's listing.
    func named(_ name: String) -> [Process] {
        let short = name.utf8.count > 15 ? String(name.prefix(15)) : name
        return all.filter { $0.name == short }
    }

    /// The words of a command line; [] for a kernel thread.
    func words(of process: Process) -> [String] {
        (procfs.text("/\(process.id)/cmdline") ?? "").split(separator: "\0").map(String.init)
    }
}
