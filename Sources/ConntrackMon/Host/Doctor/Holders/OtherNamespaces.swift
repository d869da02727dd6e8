// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// The network namespaces that processes of this host are in, other than this one.
enum OtherNamespaces {
    private static let mostProcesses = 4096
    private static let mostNamespaces = 64
    private static let mostNamed = 3

    /// The first few that have tables of xtables. A namespace without a process is not to be found this way, and without
    /// root no other's are.
    static func withTables(_ procfs: FileTree) -> [OtherNamespace] {
        var seen: Set<String> = []
        if let own = inode("self", procfs) { seen.insert(own) }
        var found: [OtherNamespace] = []
        let processes = (procfs.names(in: "/") ?? []).lazy.compactMap { Int($0) }
        for process in processes.prefix(mostProcesses) {
            guard found.count < mostNamed, seen.count < mostNamespaces else { break }
            guard let inode = inode("\(process)", procfs), seen.insert(inode).inserted else { continue }
            let tables = ["ip", "ip6"].flatMap { prefix in
                (procfs.text("/\(process)/net/\(prefix)_tables_names") ?? "").split(separator: "\n").prefix(16).map {
                    prefix == "ip6" ? "ip6 \($0)" : String($0)
                }
            }
            guard !tables.isEmpty else { continue }
            let command =
                procfs.text("/\(process)/comm")?.split(separator: "\n").first.map { withoutControls(String($0)) } ?? "?"
            found.append(OtherNamespace(process: process, command: command, tables: tables))
        }
        return found
    }

    /// `net:[INODE]`.
    static func inode(_ process: String, _ procfs: FileTree) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink("\(procfs.root)/\(process)/ns/net", base, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
