// SPDX-License-Identifier: GPL-3.0-or-later

/// A line of a file, as evidence.
public struct Evidence: Codable, Equatable, Sendable, CustomStringConvertible {
    /// The file, as that host names it.
    public var file: String
    /// The line, from 1; nil for the whole file.
    public var line: Int?
    /// What stands there.
    public var text: String

    /// From its parts.
    package init(file: String, line: Int? = nil, text: String) {
        self.file = file
        self.line = line
        self.text = text
    }

    /// "/etc/sysctl.conf:3 net.netfilter.nf_conntrack_max = 1048576".
    public var description: String {
        file + (line.map { ":\($0)" } ?? "") + (text.isEmpty ? "" : " \(text)")
    }
}
