// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which procps a host has, by its library.
enum ProcpsGeneration: Equatable {
    /// libprocps: no globs in keys; --pattern is held against the key.
    case three
    /// libproc2: globs; --pattern is held against the whole line.
    case four

    private static let folders = [
        "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu", "/lib64",
    ]

    /// nil where none is there to see.
    init?(of tree: FileTree) {
        func hasLibrary(_ name: String, _ versions: ClosedRange<Int>) -> Bool {
            ProcpsGeneration.folders.contains { folder in
                versions.contains { tree.exists("\(folder)/\(name).so.\($0)") }
            }
        }
        if hasLibrary("libproc2", 0...3) {
            self = .four
        } else if hasLibrary("libprocps", 3...8) {
            self = .three
        } else {
            return nil
        }
    }
}

extension SysctlReader {
    /// Whether a key may be a glob to it; nil where none may.
    func takesGlobs(_ sources: WriterSources) -> Certainty? {
        if self == .systemd { return SysctlReader.isSystemd245(sources) }
        guard self == .procps else { return nil }
        switch ProcpsGeneration(of: sources.tree) {
        case .three: return nil
        case .four: return .certain
        case nil: return .may
        }
    }

    /// Whether systemd is 245 or newer, which has globs; nil for an older one. The library has the version in its name;
    /// else the kernel tells, for what came with 5.4 or newer came with 245.
    static func isSystemd245(_ sources: WriterSources) -> Certainty? {
        let prefix = "libsystemd-shared-"
        let folders = [
            "/usr/lib/systemd", "/lib/systemd", "/usr/lib/x86_64-linux-gnu/systemd",
            "/usr/lib/aarch64-linux-gnu/systemd",
            "/usr/lib64/systemd",
        ]
        let names = folders.lazy.compactMap { sources.tree.names(in: $0) }.flatMap { $0 }
        if let name = names.first(where: { $0.hasPrefix(prefix) }),
            let version = Int(name.dropFirst(prefix.utf8.count).prefix(while: \.isNumber))
        {
            return version >= 245 ? .certain : nil
        }
        return sources.release.map { $0 >= KernelRelease(5, 4) } ?? true ? .certain : .may
    }
}
