// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Texts that are compared with files in Tests/Golden.
public enum Golden {
    /// nil when `text` is what Tests/Golden/`name` holds, else a unified diff from the file to the text.
    /// With UPDATE_GOLDEN=1 in the environment the file is rewritten instead.
    /// A file `*.json` is laid out for people, and so is `text` before it is compared.
    public static func compare(_ text: String, with name: String) throws -> String? {
        let text = name.hasSuffix(".json") ? try PrettyJSON.layOut(text) : text
        let path = "\(Repository.root)/Tests/Golden/\(name)"
        if getenv("UPDATE_GOLDEN").map({ String(cString: $0) }) == "1" {
            try writeFile(text, to: path)
            return nil
        }
        let expected: String
        do {
            expected = try readFile(path)
        } catch let error as SystemError where error.code == ENOENT {
            return "Tests/Golden/\(name) is missing; UPDATE_GOLDEN=1 writes it:\n\(text)"
        }
        return unifiedDiff(from: expected, to: text, name: name)
    }

    /// nil when both texts are the same, else a unified diff with three lines of context.
    public static func unifiedDiff(from old: String, to new: String, name: String) -> String? {
        guard old != new else { return nil }
        let edits = Edit.script(from: lines(old), to: lines(new))
        var diff = "--- \(name) (golden)\n+++ \(name) (now)\n"
        for hunk in hunks(edits) {
            let part = edits[hunk]
            let before = edits[..<hunk.lowerBound]
            let start = (before.count { !$0.isAdded } + 1, before.count { !$0.isRemoved } + 1)
            diff += "@@ -\(start.0),\(part.count { !$0.isAdded }) +\(start.1),\(part.count { !$0.isRemoved }) @@\n"
            diff += part.map { "\($0)\n" }.joined()
        }
        return diff
    }

    /// A missing newline at the end is a difference too, and has to be seen in the diff.
    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" {
            lines.removeLast()
        } else {
            lines[lines.count - 1] += " (no newline at the end)"
        }
        return lines
    }

    /// Ranges of edits that hold a change and three lines around it.
    private static func hunks(_ edits: [Edit]) -> [Range<Int>] {
        var hunks: [Range<Int>] = []
        for (index, edit) in edits.enumerated() where edit.isAdded || edit.isRemoved {
            let around = max(0, index - 3)..<min(edits.count, index + 4)
            if let last = hunks.last, last.upperBound >= around.lowerBound {
                hunks[hunks.count - 1] = last.lowerBound..<around.upperBound
            } else {
                hunks.append(around)
            }
        }
        return hunks
    }
}

/// One line of a diff.
private struct Edit: CustomStringConvertible {
    var mark: Character
    var line: String

    var isAdded: Bool { mark == "+" }
    var isRemoved: Bool { mark == "-" }
    var description: String { "\(mark)\(line)" }

    /// The standard library's shortest script, laid out in the order of the lines.
    static func script(from old: [String], to new: [String]) -> [Edit] {
        let difference = new.difference(from: old)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var edits: [Edit] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if removed.contains(i) {
                edits.append(Edit(mark: "-", line: old[i]))
                i += 1
            } else if inserted.contains(j) {
                edits.append(Edit(mark: "+", line: new[j]))
                j += 1
            } else {
                edits.append(Edit(mark: " ", line: old[i]))
                i += 1
                j += 1
            }
        }
        return edits
    }
}
