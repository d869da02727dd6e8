// SPDX-License-Identifier: GPL-3.0-or-later

/// A value of a YAML or JSON text, with the line where it stands, from 1.
struct YAMLNode: Equatable {
    var line: Int
    var content: Content

    enum Content: Equatable {
        case null
        case scalar(String)
        case list([YAMLNode])
        case map([Entry])
    }

    struct Entry: Equatable {
        var key: String
        var value: YAMLNode
    }

    /// The value of a key; the last one where it stands twice.
    subscript(key: String) -> YAMLNode? { entries.last { $0.key == key }?.value }

    var entries: [Entry] {
        if case .map(let entries) = content { entries } else { [] }
    }

    /// The values of a list; of anything else itself, nothing for null.
    var items: [YAMLNode] {
        switch content {
        case .list(let items): items
        case .null: []
        default: [self]
        }
    }

    var text: String? {
        if case .scalar(let text) = content { text } else { nil }
    }
}

/// Reads what kube-proxy's and its relatives' configuration is made of: block and flow maps and lists, plain, quoted and
/// block scalars, comments, documents; JSON with it. No anchors, no complex keys. Pure, and bounded in size and depth.
struct YAMLText {
    /// kube-proxy's have 2 KB.
    private static let sizeLimit = 1 << 16
    private static let depthLimit = 32

    private struct Line {
        var number: Int
        var indent: Int
        /// From the first byte that is no blank.
        var bytes: ArraySlice<UInt8>
        var isSilent: Bool { bytes.isEmpty || bytes.first == UInt8(ascii: "#") }
        var isItem: Bool {
            bytes.first == UInt8(ascii: "-") && (bytes.count == 1 || bytes[bytes.startIndex + 1] == 0x20)
        }
    }

    private struct Unreadable: Error {}

    private var lines: [Line]
    private var place = 0

    /// The documents of a text; nil where it is not to be understood whole, as a program would refuse it.
    static func documents(_ text: String) -> [YAMLNode]? {
        guard text.utf8.count <= sizeLimit else { return nil }
        var documents: [[Line]] = [[]]
        let bytes = Array(text.utf8)
        for (index, part) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let part = part.last == 0x0d ? part.dropLast() : part
            if part.starts(with: Array("---".utf8)) || part.elementsEqual(Array("...".utf8)) {
                documents.append([])
                continue
            }
            let isBlank = part.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            let stripped = isBlank ? [] : part.drop { $0 == 0x20 }
            documents[documents.count - 1].append(
                Line(number: index + 1, indent: part.count - stripped.count, bytes: stripped))
        }
        var nodes: [YAMLNode] = []
        for lines in documents where lines.contains(where: { !$0.isSilent }) {
            var reader = YAMLText(lines: lines)
            guard let node = try? reader.node(from: 0, depth: 0), reader.next() == nil else { return nil }
            nodes.append(node)
        }
        return nodes
    }

    private init(lines: [Line]) { self.lines = lines }

    /// The next line that says something.
    private mutating func next() -> Line? {
        while place < lines.count, lines[place].isSilent { place += 1 }
        return place < lines.count ? lines[place] : nil
    }

    /// What begins on the next line, if that is indented by `least` or more.
    private mutating func node(from least: Int, depth: Int) throws -> YAMLNode {
        guard depth < YAMLText.depthLimit else { throw Unreadable() }
        guard let line = next(), line.indent >= least else {
            return YAMLNode(line: lines.last?.number ?? 0, content: .null)
        }
        if line.isItem { return try list(at: line.indent, depth: depth) }
        if key(of: line) != nil { return try map(at: line.indent, depth: depth) }
        place += 1
        return try value(line.bytes, line: line.number, within: least - 1, depth: depth)
    }

    private mutating func list(at indent: Int, depth: Int) throws -> YAMLNode {
        var items: [YAMLNode] = []
        let first = place
        while let line = next(), line.indent == indent, line.isItem {
            let rest = line.bytes.dropFirst().drop { $0 == 0x20 }
            if rest.isEmpty || rest.first == UInt8(ascii: "#") {
                place += 1
            } else {
                // What stands behind the dash is a line of its own, indented by it.
                lines[place] = Line(
                    number: line.number, indent: indent + line.bytes.count - rest.count, bytes: rest)
            }
            items.append(try node(from: indent + 1, depth: depth + 1))
        }
        return YAMLNode(line: lines[first].number, content: .list(items))
    }

    private mutating func map(at indent: Int, depth: Int) throws -> YAMLNode {
        var entries: [YAMLNode.Entry] = []
        let first = place
        while let line = next(), line.indent == indent, !line.isItem, let (key, rest) = key(of: line) {
            place += 1
            if !rest.isEmpty {
                let node = try value(rest, line: line.number, within: indent, depth: depth + 1)
                entries.append(.init(key: key, value: node))
            } else if let below = next(), below.indent == indent, below.isItem {
                entries.append(.init(key: key, value: try list(at: indent, depth: depth + 1)))
            } else {
                entries.append(.init(key: key, value: try node(from: indent + 1, depth: depth + 1)))
            }
        }
        return YAMLNode(line: lines[first].number, content: .map(entries))
    }

    /// The key of a line, and what stands behind its colon.
    private func key(of line: Line) -> (String, ArraySlice<UInt8>)? {
        var scanner = YAMLScanner(line.bytes)
        let key: String?
        if let first = line.bytes.first, first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            key = scanner.quoted()
            scanner.skipBlanks()
        } else {
            key = scanner.plainKey()
        }
        guard let key, scanner.take(UInt8(ascii: ":")), scanner.isAtBlank else { return nil }
        scanner.skipBlanks()
        return (key, scanner.rest.first == UInt8(ascii: "#") ? [] : scanner.rest)
    }

    /// A value that begins in a line and may go on in those below that are indented by more than `indent`.
    private mutating func value(
        _ bytes: ArraySlice<UInt8>, line: Int, within indent: Int, depth: Int
    ) throws -> YAMLNode {
        switch bytes.first {
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            let text = block(within: indent, isFolded: bytes.first == UInt8(ascii: ">"))
            return YAMLNode(line: line, content: .scalar(text))
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "'"):
            return try flow(bytes, line: line, depth: depth)
        case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"), 0x09: throw Unreadable()
        default:
            var text = YAMLScanner.withoutComment(bytes)
            while let below = next(), below.indent > indent, key(of: below) == nil, !below.isItem {
                text += " " + YAMLScanner.withoutComment(below.bytes)
                place += 1
            }
            return YAMLNode(line: line, content: ["", "~", "null"].contains(text) ? .null : .scalar(text))
        }
    }

    /// A flow value, which may go over lines of any indentation: as many are taken as it needs to be closed.
    private mutating func flow(_ bytes: ArraySlice<UInt8>, line: Int, depth: Int) throws -> YAMLNode {
        var gathered = Array(bytes)
        var end = place
        while true {
            var scanner = YAMLScanner(gathered[...], line: line)
            if let node = scanner.flow(depth: depth) {
                place += scanner.line - line
                scanner.skipBlanksOfLine()
                guard scanner.isAtLineEnd else { throw Unreadable() }
                return node
            }
            guard scanner.isAtEnd, end < lines.count else { throw Unreadable() }
            // Twice as many each time: one by one would be quadratic.
            let more = min(lines.count, end + max(end - place, 1))
            for line in lines[end..<more] {
                gathered.append(0x0a)
                gathered += line.bytes
            }
            end = more
        }
    }

    /// The lines of a block scalar, as they stand.
    private mutating func block(within indent: Int, isFolded: Bool) -> String {
        var found: [String] = []
        var margin: Int?
        while place < lines.count, lines[place].bytes.isEmpty || lines[place].indent > indent {
            let line = lines[place]
            if margin == nil, !line.bytes.isEmpty { margin = line.indent }
            let blanks = line.bytes.isEmpty ? 0 : max(line.indent - (margin ?? 0), 0)
            found.append(String(repeating: " ", count: blanks) + String(decoding: line.bytes, as: UTF8.self))
            place += 1
        }
        while found.last == "" { found.removeLast() }
        return found.joined(separator: isFolded ? " " : "\n")
    }
}
