// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// One run of a program that applies sysctl configuration.
struct SysctlRun: Equatable, Sendable {
    var reader: SysctlReader
    /// The files it is given; nil for all that the reader knows.
    /// procps takes globs; systemd-sysctl looks in its folders for a name; "-" is standard input, of which nothing is known.
    var files: [String]?
    var filter = Filter.all
    /// `.may` where only some versions of the program make this run.
    var certainty = Certainty.certain

    /// Which of the assignments it makes.
    enum Filter: Equatable, Sendable {
        case all
        /// systemd-sysctl --prefix, as written: "net/netfilter", "/net/netfilter", "net.netfilter".
        case prefixes([String])
        /// procps' --pattern: an extended regular expression.
        case pattern(String)
        /// `fgrep WORD FILE | sysctl -p -`, a run for each word: only lines that hold one.
        case lines(with: [String])
    }

    /// What it sets, in its order. Settings that are not there when it runs stay as they are.
    func acts(in sources: WriterSources) -> [Writer.Act] {
        guard case .lines(let words) = filter else { return SysctlWrites(self, sources).all.map { .write($0) } }
        return words.prefix(SysctlRun.wordLimit).flatMap { word in
            var run = self
            run.filter = .lines(with: [word])
            return SysctlWrites(run, sources).all.map { Writer.Act.write($0) }
        }
    }

    private static let wordLimit = 32
}
