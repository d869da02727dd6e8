// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Where commands read from and write to: settings are files.
extension ShellRun {
    mutating func input(_ redirects: [ShellRedirect], or input: ShellStream) -> ShellStream {
        var input = input
        for redirect in redirects where redirect.descriptor ?? 0 == 0 && redirect.mark.hasPrefix("<") {
            if let document = redirect.document {
                input = .text(document)
            } else if redirect.mark == "<<<" {
                input = .text(text(of: redirect.target) + "\n")
            } else {
                let path = text(of: redirect.target)
                input = path.contains(ShellRun.unknown) ? .unknown : .files([path], with: nil)
            }
        }
        return input
    }

    /// Writes where the redirections lead; gives what remains on the standard output.
    mutating func write(_ output: ShellStream, to redirects: [ShellRedirect], line: Int) -> ShellStream {
        // Those before the last one are opened, no more.
        var last: String?
        for redirect in redirects where redirect.descriptor ?? 1 == 1 && redirect.mark.hasPrefix(">") {
            let path = text(of: redirect.target)
            if redirect.mark == ">&", path.allSatisfy(\.isNumber) { continue }
            last = path
        }
        guard let last else { return output }
        write(output, to: last, line: line)
        return .empty
    }

    /// Writes into a file: settings are files.
    mutating func write(_ output: ShellStream, to path: String, line: Int) {
        guard path.hasPrefix("/"), let key = ShellText.setting(at: path, sources) else { return }
        // The kernel takes each write by itself; echo makes one of a line.
        let text = self.text(of: output)
        if text.isEmpty { return }
        note(setting: key, text, line: line)
    }

    /// Notes that a setting is given a value. The kernel refuses what is no number.
    mutating func note(setting key: String, _ value: String, line: Int) {
        var write = Write(key: key, change: .unknown, certainty: certainty, evidence: place.evidence(line))
        if !value.contains(ShellRun.unknown) {
            let word = value.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            guard let taken = SettingValue(word, of: key, release: sources.release) else { return }
            write.change = .set(taken.number)
            write.certainty = min(certainty, taken.certainty)
        }
        note(.write(write))
    }

    func text(of stream: ShellStream) -> String {
        switch stream {
        case .text(let text): return text
        case .files(let files, nil) where files.count == 1:
            guard files[0].hasPrefix("/"), !files[0].hasPrefix("/proc/"), !files[0].hasPrefix("/sys/"),
                let text = sources.tree.text(files[0]), text.utf8.count < 4096
            else { return String(ShellRun.unknown) }
            return text
        default: return String(ShellRun.unknown)
        }
    }
}
