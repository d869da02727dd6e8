// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost

/// The reader of YAML and JSON, as far as kube-proxy's relatives need it.
@Suite struct YAMLTextTests {
    /// As one line: {a: x, b: [y, z]}; ~ for null.
    private func shown(_ node: YAMLNode) -> String {
        switch node.content {
        case .null: "~"
        case .scalar(let text): text.replacing("\n", with: "\\n")
        case .list(let items): "[" + items.map(shown).joined(separator: ", ") + "]"
        case .map(let entries): "{" + entries.map { "\($0.key): \(shown($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    @Test(
        arguments: [
            ("a: 1\nb:\n  c: x y # note\n  d: 'it''s'\n", "{a: 1, b: {c: x y, d: it's}}"),
            ("a:\n- 1\n- b: 2\n  c: 3\n-\n  d: 4\n", "{a: [1, {b: 2, c: 3}, {d: 4}]}"),
            ("a:\n    - x\n    - - y\n      - z\n", "{a: [x, [y, z]]}"),
            ("# note\n\na: \"q: \\\"x\\\"\\n\\u00e9\"\n", "{a: q: \"x\"\\né}"),
            ("a: [1, \"b\", {c: d}] # note\nb: {}\nc: []\n", "{a: [1, b, {c: d}], b: {}, c: []}"),
            ("a: [1, # one\n 2,\n # x\n]\nb: 3\n", "{a: [1, 2], b: 3}"),
            ("a: [1,\n 2\n]\nb: 3\n", "{a: [1, 2], b: 3}"),
            ("a: |-\n  x: 1\n    y\n\n  z # no note\nb: 2\n", "{a: x: 1\\n  y\\n\\nz # no note, b: 2}"),
            ("a: >-\n  x\n  y\n", "{a: x y}"), ("a: x\n  y\n  z\nb: c\n", "{a: x y z, b: c}"),
            ("a: ~\nb: null\nc:\nd: \"\"\n", "{a: ~, b: ~, c: ~, d: }"),
            ("a: http://x:80/y\nb: --c=d\n", "{a: http://x:80/y, b: --c=d}"),
            ("\"a b\": 1\n'c': 2\n", "{a b: 1, c: 2}"),
            ("{\"a\": {\"b\": [1, 2.5, true]},\n \"c\": \"x\"}\n", "{a: {b: [1, 2.5, true]}, c: x}"),
            ("{\n\"a\"\n:\n1\n,\n\"b\":[\n]\n}", "{a: 1, b: []}"),
            ("a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"), ("---\na: 1\n...\n", "{a: 1}"), ("just a text\n", "just a text"),
            ("a: 1\n  b: 2\n", nil), ("a: &x 1\n", nil), ("a: [1, 2\n", nil), ("a: \"x\nb: 1\n", nil),
            ("\ta: 1\n b\n", nil),
            ("a: 1\n- b\n", nil), ("a: {b: 1} x\n", nil),
        ])
    func `what it reads, and what it refuses whole`(_ text: String, _ expected: String?) {
        let documents = YAMLText.documents(text)
        #expect(documents.map { $0.map(shown) } == expected.map { [$0] })
    }

    @Test func `documents are told apart, and lines counted`() throws {
        let documents = try #require(
            YAMLText.documents("# x\n---\na: 1\n---\n\nb:\n  - c\n  - {d: e,\n     f: g}\nh: i\n"))
        #expect(documents.map(shown) == ["{a: 1}", "{b: [c, {d: e, f: g}], h: i}"])
        #expect(documents[0]["a"]?.line == 3)
        #expect(documents[1]["b"]?.items.map(\.line) == [7, 8])
        #expect(documents[1]["b"]?.items[1]["f"]?.line == 9)
        #expect(documents[1]["h"]?.line == 10)
        #expect(YAMLText.documents("") == [])
    }

    @Test func `hostile texts come to an end, and are refused`() {
        let deep = String(repeating: "[", count: 50_000)
        #expect(YAMLText.documents(deep) == nil)
        #expect(YAMLText.documents(String(repeating: "- ", count: 50_000)) == nil)
        #expect(YAMLText.documents((0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined()) == nil)
        #expect(YAMLText.documents("a: [" + String(repeating: "\n1,", count: 60_000)) == nil)
        #expect(YAMLText.documents("a: \"" + String(repeating: "\nx", count: 60_000)) == nil)
        #expect(YAMLText.documents(String(repeating: "a: 1\n", count: 100_000)) == nil)
        // Any bytes at all.
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<3_000 {
            let letters = (0..<60).map { _ -> Character in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return Array("ab:-#[]{},\"'|> \n\\&\t")[Int(state % 19)]
            }
            for document in YAMLText.documents(String(letters)) ?? [] { #expect(document.line >= 0) }
        }
    }
}
