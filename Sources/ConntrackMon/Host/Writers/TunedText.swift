// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// tuned's `${name}` and `${f:function:...}` (tuned/profiles/variables.py and functions.py).
struct TunedText {
    /// What a text may become.
    struct Choice: Equatable {
        var text: String
        var isCertain: Bool
    }

    private var variables: [String: [Choice]] = [:]
    private static let choiceLimit = 8
    private static let lengthLimit = 4096

    /// Takes the variables of `[variables]`, in their order; `include` names a file of more.
    mutating func take(_ unit: TunedProfile.Unit, tree: FileTree) {
        for option in unit.options {
            for value in option.values {
                let isCertain = value.certainty == .certain && unit.certainty == .certain
                let text = value.text.replacing("${i:PROFILE_DIR}", with: value.folder)
                guard option.key == "include" else {
                    set(option.key, text, isCertain: isCertain)
                    continue
                }
                let file = tree.text(text).map { TunedConfig($0, header: "") }
                for more in file?.sections.flatMap(\.options) ?? [] { set(more.key, more.value, isCertain: isCertain) }
            }
        }
    }

    private mutating func set(_ name: String, _ text: String, isCertain: Bool) {
        let choices = expand(text).map { Choice(text: $0.text, isCertain: $0.isCertain && isCertain) }
        let known = isCertain ? [] : variables[name] ?? []
        variables[name] = Array((known + choices).prefix(TunedText.choiceLimit))
    }

    /// All that a text may become; [] where that can't be known.
    func expand(_ text: String) -> [Choice] {
        var open = [Choice(text: text, isCertain: true)]
        for (name, values) in variables where text.contains("${") || open.contains(where: { $0.text.contains("${") }) {
            let mark = "${" + name + "}"
            open = open.flatMap { choice -> [Choice] in
                guard choice.text.contains(mark) else { return [choice] }
                return values.map { value in
                    Choice(
                        text: choice.text.replacing(mark, with: value.text),
                        isCertain: choice.isCertain && value.isCertain)
                }
            }
            open = Array(open.filter { $0.text.utf8.count <= TunedText.lengthLimit }.prefix(TunedText.choiceLimit))
        }
        return open.flatMap { choice in
            TunedText.choices(choice.text).map { Choice(text: $0.text, isCertain: $0.isCertain && choice.isCertain) }
        }
    }

    /// What a text without variables may become. Of the functions `virt_check` has two answers that are known: for a
    /// virtual machine, and for others; those of the rest can't be. A variable that nobody set stays as it is written.
    static func choices(_ text: String) -> [Choice] {
        guard let start = text.firstRange(of: "${"), let end = text[start.upperBound...].firstIndex(of: "}") else {
            return [Choice(text: text, isCertain: true)]
        }
        let words = text[start.upperBound..<end].split(separator: ":", omittingEmptySubsequences: false)
        guard words[0] == "f" else { return [Choice(text: text, isCertain: true)] }
        guard words.count == 4, words[1] == "virt_check" else { return [] }
        let (before, after) = (text[..<start.lowerBound], text[text.index(after: end)...])
        return words[2...].flatMap { word in
            choices(String(before) + String(word) + String(after)).map { Choice(text: $0.text, isCertain: false) }
        }
    }
}
