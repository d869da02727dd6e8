// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The files that a sysctl program reads.
struct SysctlPaths {
    let reader: SysctlReader
    let tree: FileTree
    private static let limit = 1024

    /// - Parameter named: What it was given; nil for all it knows.
    func files(_ named: [String]?) -> [String] {
        guard let named else { return reader.files(in: tree) }
        let files = reader == .systemd ? named.compactMap(inFolders) : named.flatMap(expanded)
        return Array(files.prefix(SysctlPaths.limit))
    }

    /// systemd-sysctl looks for what is no absolute path in its folders, in the order in which they hide one another.
    private func inFolders(_ name: String) -> String? {
        name.hasPrefix("/") ? name : reader.directories(of: tree).map { "\($0)/\(name)" }.first(where: tree.exists)
    }

    /// procps gives each name to glob(3), with braces and a tilde. Where a relative one begins is not known.
    private func expanded(_ name: String) -> [String] {
        braceAlternatives(of: name).flatMap { name -> [String] in
            let path = name == "~" || name.hasPrefix("~/") ? "/root" + name.dropFirst() : name
            guard path.hasPrefix("/") else { return [] }
            return path.contains { "*?[".contains($0) } ? glob(path) : [path]
        }
    }

    /// The paths that a glob finds, by name.
    private func glob(_ pattern: String) -> [String] {
        var found = [""]
        for part in pattern.split(separator: "/") {
            if !part.contains(where: { "*?[".contains($0) }) {
                found = found.map { "\($0)/\(part)" }
                continue
            }
            found = found.flatMap { folder in
                (tree.names(in: folder.isEmpty ? "/" : folder) ?? []).filter { globMatches(String(part), $0) }
                    .map { "\(folder)/\($0)" }
            }
            if found.count > SysctlPaths.limit { return [] }
        }
        return found.filter(tree.exists)
    }
}
