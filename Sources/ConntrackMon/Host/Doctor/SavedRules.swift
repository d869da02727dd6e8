// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The rules a host has saved for one family.
struct SavedRules: Equatable, Sendable {
    /// False where there is no such file: then nothing is known.
    var areKnown = false
    /// The first rule that needs connection tracking.
    var tracking: Evidence?

    private static let marks: [StaticString] = [
        "-m conntrack", "-m state", "--ctstate", "--state", "-j MASQUERADE", "-j SNAT", "-j DNAT", "-j REDIRECT",
        "-j CT", "connmark", "CONNMARK", "connlimit", "connbytes",
    ]

    init(_ files: [String], in tree: FileTree) {
        for file in files {
            guard let text = tree.text(file) else { continue }
            areKnown = true
            if tracking == nil { tracking = SavedRules.firstTracking(in: text, of: file) }
        }
    }

    /// Rule files may have tens of thousands of lines: bytes are compared, and nothing is copied but the line found.
    private static func firstTracking(in text: String, of file: String) -> Evidence? {
        var text = text
        return text.withUTF8 { bytes in
            for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
                guard let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ":") else { continue }
                if marks.contains(where: { occurs($0, in: line) }) {
                    return Evidence(file: file, line: index + 1, text: String(decoding: line, as: UTF8.self))
                }
            }
            return nil
        }
    }
}
