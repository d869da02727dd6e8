// SPDX-License-Identifier: GPL-3.0-or-later

/// Characters that a person does not see in an editor, and that the kernel and the readers of configuration take for
/// letters.
enum InvisibleText {
    private static let nothing: Set<UInt32> = [0xFEFF, 0x200B, 0x200C, 0x200D, 0x2060, 0xAD]
    private static let blanks: Set<UInt32> = Set([0xA0, 0x202F, 0x205F, 0x3000] + Array(0x2000...0x200A))
    private static let quotes: Set<UInt32> = [0x201C, 0x201D, 0x2018, 0x2019, 0xAB, 0xBB]

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        nothing.contains(scalar.value) || blanks.contains(scalar.value)
    }

    /// The text as whoever wrote it saw it.
    static func cleaned(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !nothing.contains(scalar.value) {
            clean.append(blanks.contains(scalar.value) ? " " : quotes.contains(scalar.value) ? "\"" : scalar)
        }
        return String(clean).split(omittingEmptySubsequences: false) { $0.isWhitespace }.joined(separator: " ")
            .trimmed
    }

    /// The text with such characters named: "nf_conntrack_max<U+00A0>".
    static func shown(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { shown, scalar in
            shown += isInvisible(scalar) ? "<\(name(scalar))>" : String(scalar)
        }
    }

    /// "U+00A0, a no-break space"; nil where there is none.
    static func first(in text: String) -> String? {
        text.unicodeScalars.first(where: isInvisible).map { scalar in
            switch scalar.value {
            case 0xFEFF: "\(name(scalar)), a byte order mark"
            case 0xA0: "\(name(scalar)), a no-break space"
            default: name(scalar)
            }
        }
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}

extension StringProtocol {
    /// Without blanks at its ends.
    var trimmed: String {
        var text = Substring(self).drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
