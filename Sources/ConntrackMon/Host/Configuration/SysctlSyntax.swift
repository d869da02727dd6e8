// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// One assignment of a sysctl.d(5) file.
struct SysctlAssignment: Equatable {
    /// The path below /proc/sys, without a slash at its beginning; may hold glob characters.
    var key: String
    /// The key as the file has it.
    var writtenAs: String
    /// nil for a key that is only to be left out of globs ("-net.netfilter.nf_conntrack_acct").
    var value: String?
    /// Counted from 1.
    var line: Int
    /// Whether globs leave the key alone. procps looks for a path as it is written, and "//" or a slash at the beginning
    /// hides that it is the same.
    var shields = true
    /// The whole line, without blanks around it.
    var text = ""

    var isGlob: Bool { key.contains { "*?[".contains($0) } }
}

/// sysctl.d(5), as systemd-sysctl and procps' sysctl read it. Pure.
enum SysctlSyntax {
    /// What a file's text says to a reader, and the numbers of the lines that say nothing.
    /// - Parameter isWanted: Which lines to look at, by their bytes.
    static func parse(
        _ text: String, by reader: SysctlReader = .systemd, where isWanted: (Substring) -> Bool = { _ in true }
    ) -> (assignments: [SysctlAssignment], faultyLines: [Int]) {
        var assignments: [SysctlAssignment] = []
        var faulty: [Int] = []
        for (index, bytes) in lines(text, by: reader).enumerated() where isWanted(bytes) {
            let line = stripped(bytes)
            guard let first = line.first, first != "#", first != ";" else { continue }
            if var assignment = parse(line: line, number: index + 1, by: reader) {
                assignment.text = String(line)
                assignments.append(assignment)
            } else {
                faulty.append(index + 1)
            }
        }
        return (assignments, faulty)
    }

    private static func parse(line: Substring, number: Int, by reader: SysctlReader) -> SysctlAssignment? {
        let equals = line.firstIndex(of: "=")
        if reader.isBusybox { return equals.flatMap { plain(line, equals: $0, number: number) } }
        var name = line[..<(equals ?? line.endIndex)]
        if name.first == "-" {
            name = name.dropFirst()
        } else if equals == nil {
            return nil
        }
        let key = String(stripped(name))
        guard !key.isEmpty else { return nil }
        let value = equals.map { String(stripped(line[line.index(after: $0)...])) }
        var assignment = SysctlAssignment(key: normalized(key), writtenAs: key, value: value, line: number)
        if reader != .systemd {
            let path = slashed(key)
            // systemd-sysctl refuses such a path, and to others it leads where the kernel takes it.
            assignment.key = climbing(assignment.key)
            assignment.shields = path == assignment.key
            // No file has such a path, and procps does not mend it.
            if path.hasSuffix("/") || name.first.map(isBlank) == true { assignment.key = path + "/" }
        }
        return assignment
    }

    /// busybox knows no dash before a name and no globs: both are parts of a name that no setting has, as a slash at its
    /// beginning is (1.35).
    private static func plain(_ line: Substring, equals: String.Index, number: Int) -> SysctlAssignment? {
        let key = String(stripped(line[..<equals]))
        guard !key.isEmpty else { return nil }
        let isOfNothing = key.hasPrefix("-") || key.hasPrefix("/") || key.contains { "*?[".contains($0) }
        return SysctlAssignment(
            key: isOfNothing ? key.filter { !"*?[".contains($0) } + "/" : normalized(key), writtenAs: key,
            value: String(stripped(line[line.index(after: equals)...])), line: number)
    }

    /// A key as a path: the first separator decides whether dots or slashes separate. Where dots do, a slash stands for
    /// a dot inside a name ("net.ipv4.conf.eth0/1").
    static func normalized(_ key: String) -> String {
        slashed(key).split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// A path without "..", as the kernel walks it: not through a setting, which is no folder.
    private static func climbing(_ path: String) -> String {
        guard path.contains("..") else { return path }
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            guard part == ".." else {
                parts.append(part)
                continue
            }
            if parts.popLast()?.hasPrefix("nf_conntrack_") == true { return path }
        }
        return parts.joined(separator: "/")
    }

    private static func slashed(_ key: String) -> String {
        let separator = key.first { $0 == "." || $0 == "/" }
        return separator == "." ? String(key.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }) : key
    }

    /// A value as the kernel takes it for a number: what follows the first word is ignored, 0x and 0 begin other bases.
    static func number(_ value: String) -> UInt64? {
        guard let word = value.split(whereSeparator: { $0 == " " || $0 == "\t" }).first else { return nil }
        if word.hasPrefix("0x") || word.hasPrefix("0X") { return digits(word.dropFirst(2), radix: 16) }
        return digits(word, radix: word.hasPrefix("0") ? 8 : 10)
    }

    /// Swift's own reading takes a sign too.
    private static func digits(_ text: Substring, radix: Int) -> UInt64? {
        text.first == "+" || text.first == "-" ? nil : UInt64(text, radix: radix)
    }

    /// Lines end with a line feed, a carriage return, both, or a zero byte. To procps a line feed ends them, and what
    /// follows a zero byte is not seen.
    private static func lines(_ text: String, by reader: SysctlReader) -> [Substring] {
        if reader.isBusybox { return joined(text) }
        guard reader == .systemd else {
            return text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
                .map { Substring($0.prefix { $0 != 0 }) }
        }
        let ends: [UInt8] = [0x0a, 0x0d, 0]
        var lines: [Substring] = []
        var rest = text.utf8[...]
        while let end = rest.firstIndex(where: ends.contains) {
            lines.append(Substring(rest[..<end]))
            let isPair =
                rest[end] == 0x0d && rest.index(after: end) < rest.endIndex && rest[rest.index(after: end)] == 0x0a
            rest = rest[rest.index(end, offsetBy: isPair ? 2 : 1)...]
        }
        return lines + [Substring(rest)]
    }

    /// busybox goes on in the next line where one ends with a backslash. Each line keeps its number.
    private static func joined(_ text: String) -> [Substring] {
        var lines: [Substring] = []
        var open: String?
        for part in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let isContinued = part.last == UInt8(ascii: "\\")
            let line = (open ?? "") + String(Substring(isContinued ? part.dropLast() : part))
            open = isContinued ? line : nil
            lines.append(isContinued ? "" : Substring(line))
        }
        return lines + (open.map { [Substring($0)] } ?? [])
    }

    private static func isBlank(_ character: Character) -> Bool {
        character == " " || character == "\t" || character == "\r"
    }

    private static func stripped(_ text: Substring) -> Substring {
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

/// Whether glob(3) with `pattern` finds `path`: wildcards pass no slash and take no leading dot, a backslash quotes. Braces
/// stand for themselves.
func globMatches(_ pattern: String, _ path: String) -> Bool {
    fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0
}
