// SPDX-License-Identifier: GPL-3.0-or-later

/// What a run of modprobe, insmod or rmmod asks for, as kmod takes its words. Pure.
struct ModprobeCall: Equatable {
    var modules: [String] = []
    var removes = false
    /// The hash size given with nf_conntrack.
    var hashsize: UInt64?
    /// modprobe leaves `install` lines alone.
    var ignoresInstall = false

    private static let values: Set<String> = [
        "-d", "--dirname", "-S", "--set-version", "-C", "--config", "-w", "--wait", "-t", "--type",
    ]
    /// These only show something.
    private static let shows: Set<String> = [
        "-n", "--dry-run", "--show", "-D", "--show-depends", "-c", "--showconfig", "-l", "--list", "-R",
        "--resolve-alias", "-V", "--version", "-h", "--help", "--show-config", "--show-modversions",
        "--dump-modversions",
        "--show-exports",
    ]

    /// nil where it neither loads nor unloads anything.
    init?(_ name: String, _ words: [String]) {
        var rest: [String] = []
        var takesAll = false
        var words = words[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                rest.append(word)
                continue
            }
            if word == "--" {
                rest += words
                break
            }
            let letters = word.hasPrefix("--") ? [word] : word.dropFirst().map { "-\($0)" }
            if letters.contains(where: ModprobeCall.shows.contains) { return nil }
            if letters.contains("-r") || letters.contains("--remove") { removes = true }
            if letters.contains("-a") || letters.contains("--all") { takesAll = true }
            if letters.contains("-i") || letters.contains("--ignore-install") { ignoresInstall = true }
            if name == "modprobe", let last = letters.last, ModprobeCall.values.contains(last) { _ = words.popFirst() }
        }
        if name == "rmmod" { removes = true }
        if removes || takesAll {
            modules = rest
            return
        }
        guard var module = rest.first else { return nil }
        if name == "insmod" || module.contains("/") {
            module = String(module.split(separator: "/").last ?? "")
            if let dot = module.firstRange(of: ".ko") { module = String(module[..<dot.lowerBound]) }
        }
        modules = [module]
        hashsize = rest.dropFirst().last { $0.hasPrefix("hashsize=") }.flatMap {
            SysctlSyntax.number(String($0.dropFirst("hashsize=".utf8.count)))
        }
    }
}
