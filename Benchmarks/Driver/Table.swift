// SPDX-License-Identifier: GPL-3.0-or-later

/// A table in Markdown.
struct Table {
    var header: [String]
    var rows: [[String]] = []

    var markdown: String {
        ([header, header.map { _ in "---" }] + rows)
            .map { "| " + $0.joined(separator: " | ") + " |\n" }
            .joined()
    }
}

/// A document some of whose parts `make bench` writes, each between `<!-- bench: NAME -->` and `<!-- /bench: NAME -->`.
struct Document: Equatable {
    var text: String

    init(_ text: some StringProtocol) {
        self.text = String(text)
    }

    /// With `content` between the two comments of `name`, in place of what is there; what is around stays as it is.
    /// nil when the document does not hold the two lines once each, in this order.
    func replacing(_ name: String, with content: String) -> Document? {
        let openings = text.ranges(of: "<!-- bench: \(name) -->\n")
        let closings = text.ranges(of: "<!-- /bench: \(name) -->\n")
        guard openings.count == 1, closings.count == 1, openings[0].upperBound <= closings[0].lowerBound else {
            return nil
        }
        return Document(text[..<openings[0].upperBound] + content + text[closings[0].lowerBound...])
    }
}
