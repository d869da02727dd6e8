// SPDX-License-Identifier: GPL-3.0-or-later

/// What glob(3) makes of braces with GLOB_BRACE: "/etc/{a,b}.conf" is two patterns. An open one stands for itself, and so
/// does all of a text that is long or has more than 64 alternatives.
func braceAlternatives(of text: String) -> [String] {
    guard text.utf8.contains(UInt8(ascii: "{")), text.utf8.count <= 1024 else { return [text] }
    var (done, pending) = ([String](), [text])
    while let next = pending.popLast() {
        guard done.count + pending.count < 64 else { return [text] }
        if let parts = firstBrace(in: next) {
            pending += parts.alternatives.reversed().map { String(parts.head + $0 + parts.tail) }
        } else {
            done.append(next)
        }
    }
    return done
}

private func firstBrace(in text: String) -> (head: Substring, alternatives: [Substring], tail: Substring)? {
    var start = text.startIndex
    while let open = text[start...].firstIndex(of: "{") {
        var (depth, part, alternatives) = (0, text.index(after: open), [Substring]())
        for index in text[open...].indices {
            switch text[index] {
            case "{": depth += 1
            case "}": depth -= 1
            case "," where depth == 1:
                alternatives.append(text[part..<index])
                part = text.index(after: index)
            default: break
            }
            if depth == 0 {
                return (text[..<open], alternatives + [text[part..<index]], text[text.index(after: index)...])
            }
        }
        start = text.index(after: open)
    }
    return nil
}
