// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// tuned, which applies the sections of its active profiles in their order when it starts, late in the boot.
enum TunedWriters {
    private static let active = "/etc/tuned/active_profile"

    static func all(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        guard let certainty = certainty(sources), let text = tree.text(active) else { return [] }
        let names = [text, tree.text("/etc/tuned/post_loaded_profile") ?? ""]
            .flatMap { $0.split(whereSeparator: \.isWhitespace) }.prefix(16).map(String.init).filter(isName)
        guard !names.isEmpty else { return [] }
        let profile = TunedProfile(names, in: tree)
        var run = TunedRun(profile, sources)
        run.apply()
        let missing = profile.missing.isEmpty ? "" : " (not found: \(profile.missing.joined(separator: ", ")))"
        let evidence = Evidence(file: active, line: 1, text: names.joined(separator: " ") + missing)
        return run.parts.map { part in
            let isWeak = part.kind == .reload || !profile.missing.isEmpty
            return Writer(
                name: "tuned", when: .late, acts: part.acts, evidence: evidence,
                certainty: isWeak ? .may : certainty, isService: true,
                cure: part.kind == .reapply ? nil : run.cure(names))
        }
    }

    /// tuned passes over others.
    private static func isName(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isLetter && byte < 0x80 || character.isNumber && byte < 0x80 || "_.-".contains(character)
        }
    }

    /// nil where tuned does not run.
    private static func certainty(_ sources: WriterSources) -> Certainty? {
        if !sources.processes.named("tuned").isEmpty { return .certain }
        return switch ServiceState.isEnabled("tuned", in: sources.tree) {
        case true?: .certain
        case false?: nil
        case nil: .may
        }
    }
}

/// What one start of tuned does to conntrack.
struct TunedRun {
    /// Acts in a row that are certain, or not, for the same reason.
    struct Part {
        enum Kind {
            case profile
            /// `modprobe -r`, which fails while the module is in use, and says nothing of it.
            case reload
            /// The host's own configuration, applied after the profile's.
            case reapply
        }

        var kind: Kind
        var acts: [Writer.Act] = []
    }

    private(set) var parts: [Part] = []
    private let profile: TunedProfile
    private let sources: WriterSources
    private var text = TunedText()
    private let main: TunedConfig.Section?

    init(_ profile: TunedProfile, _ sources: WriterSources) {
        (self.profile, self.sources) = (profile, sources)
        main = sources.tree.text("/etc/tuned/tuned-main.conf").flatMap { TunedConfig($0, header: "")[""] }
        for unit in profile.units where unit.type == "variables" { text.take(unit, tree: sources.tree) }
    }

    /// What an administrator writes to have other values.
    func cure(_ names: [String]) -> String {
        reapplies == .certain
            ? "write the setting to a file of /etc/sysctl.d, which tuned applies after its profile"
            : "set it in [sysctl] of a profile in /etc/tuned that includes \(names.joined(separator: ", ")), and make"
                + " that the active one"
    }

    mutating func apply() {
        for unit in profile.units {
            switch unit.type {
            case "sysctl":
                add(unit.options.flatMap { sysctl($0, unit.certainty) }, .profile)
                add(reapplied(unit.certainty), .reapply)
            case "net":
                let sizes = unit.options.filter { $0.key == "nf_conntrack_hashsize" }
                add(sizes.flatMap { hash($0, unit.certainty) }, .profile)
            case "sysfs":
                let path = "/sys/module/nf_conntrack/parameters/hashsize"
                let sizes = unit.options.filter { $0.key == path || globMatches($0.key, path) }
                add(sizes.flatMap { hash($0, unit.certainty) }, .profile)
            case "modules": add(unit.options.flatMap(modules), .reload)
            case "script": add(unit.options.filter { $0.key == "script" }.flatMap(scripts), .profile)
            default: break
            }
        }
        if profile.mayHaveSysctl, !profile.units.contains(where: { $0.type == "sysctl" && $0.certainty == .certain }) {
            add(reapplied(.may), .reapply)
        }
    }

    private mutating func add(_ acts: [Writer.Act], _ kind: Part.Kind) {
        guard !acts.isEmpty else { return }
        if parts.last?.kind != kind { parts.append(Part(kind: kind)) }
        parts[parts.count - 1].acts += acts
    }

    // MARK: Sections

    /// `key=value`; `>N` only raises, `<N` only lowers.
    private func sysctl(_ option: TunedProfile.Option, _ certainty: Certainty) -> [Writer.Act] {
        guard let key = Writer.Act.setting(SysctlSyntax.normalized(option.key), names: sources.names) else { return [] }
        return option.values.flatMap { value -> [Writer.Act] in
            writes(value, certainty) { text in
                var text = text[...]
                if text.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
                let sign = text.count > 1 ? text.first : nil
                let digits = String(sign == ">" || sign == "<" ? text.dropFirst() : text).replacing("\n", with: " ")
                let number = SysctlSyntax.number(digits)
                guard let number, number <= UInt64(Int32.max) else { return nil }
                let least = sign == ">" ? Write.Change.raise(number) : .set(number)
                return Write(key: key, change: least, certainty: sign == "<" ? .may : .certain)
            }
        }
    }

    /// A number for the module's parameter.
    private func hash(_ option: TunedProfile.Option, _ certainty: Certainty) -> [Writer.Act] {
        option.values.flatMap { value in
            writes(value, certainty) { text in
                UInt64(text).flatMap { $0 > 0 && $0 <= UInt64(UInt32.max) ? $0 : nil }
                    .map { Write(key: SettingNames.buckets, change: .set($0)) }
            }
        }
    }

    private func writes(
        _ value: TunedProfile.Value, _ certainty: Certainty, _ write: (String) -> Write?
    ) -> [Writer.Act] {
        let choices = text.expand(value.text)
        guard !choices.isEmpty else {
            guard var unknown = write("1") else { return [] }
            (unknown.change, unknown.certainty) = (.unknown, min(value.certainty, certainty))
            unknown.evidence = value.evidence
            return [.write(unknown)]
        }
        return choices.compactMap { choice in
            guard var found = write(choice.text) else { return nil }
            let own: Certainty = choice.isCertain ? .certain : .may
            found.certainty = min(min(found.certainty, own), min(value.certainty, certainty))
            found.evidence = value.evidence
            return .write(found)
        }
    }

    /// `nf_conntrack=+r hashsize=N`: the options go to modprobe.d, where the next load finds them, and with "+r" tuned
    /// loads the module anew.
    private func modules(_ option: TunedProfile.Option) -> [Writer.Act] {
        guard option.key.replacing("-", with: "_") == "nf_conntrack" else { return [] }
        return option.values.suffix(1).flatMap { value -> [Writer.Act] in
            guard let text = text.expand(value.text).first?.text, text.hasPrefix("+r") else { return [] }
            let words = text.dropFirst(2).split { $0 == "," || $0.isWhitespace }
            let sizes = words.filter { $0.hasPrefix("hashsize=") }
            guard let size = sizes.last.flatMap({ SysctlSyntax.number(String($0.dropFirst("hashsize=".utf8.count))) }),
                size > 0, size <= UInt64(Int32.max) / 8
            else { return [.reload(value.evidence)] }
            let buckets = (size + 511) / 512 * 512
            return [
                .reload(value.evidence), .set(SettingNames.buckets, buckets, value.evidence),
                .set("nf_conntrack_max", buckets * 8, value.evidence),
            ]
        }
    }

    /// A script beside the profile that names it.
    private func scripts(_ option: TunedProfile.Option) -> [Writer.Act] {
        option.values.flatMap { value -> [Writer.Act] in
            let name = value.text.replacing("${i:PROFILE_DIR}", with: value.folder)
            let file = name.hasPrefix("/") ? name : value.folder + "/" + name
            guard let script = sources.tree.text(file) else { return [] }
            return ShellText.acts(ofScript: script, in: file, sources: sources)
        }
    }

    // MARK: reapply_sysctl

    /// Whether the host's own configuration is applied after each [sysctl]: yes unless tuned-main.conf says no. tuned
    /// before 2.7 did not.
    private var reapplies: Certainty? {
        guard let setting = main?["reapply_sysctl"]?.lowercased() else { return .may }
        return ["1", "yes", "true", "on"].contains(setting) ? .certain : nil
    }

    /// /run/sysctl.d and /etc/sysctl.d, then /etc/sysctl.conf; by tuned's own reading: no globs, no "-".
    private func reapplied(_ certainty: Certainty) -> [Writer.Act] {
        guard let reapplies else { return [] }
        let tree = sources.tree
        var files: [String: String] = [:]
        for folder in ["/run/sysctl.d", "/etc/sysctl.d"] {
            for name in tree.names(in: folder) ?? [] where name.hasSuffix(".conf") && files[name] == nil {
                files[name] = "\(folder)/\(name)"
            }
        }
        let excluded = (main?["reapply_sysctl_exclude"] ?? "").split { $0 == "," || $0 == ";" }.map(\.trimmed)
        return (files.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value) + ["/etc/sysctl.conf"])
            .flatMap { acts(of: $0, except: excluded, min(certainty, reapplies)) }
    }

    private func acts(of file: String, except excluded: [String], _ certainty: Certainty) -> [Writer.Act] {
        guard let text = sources.tree.text(file), occurs("conntrack", in: text) else { return [] }
        return ModuleConfiguration.lines(of: text).compactMap { number, line in
            guard let equals = line.firstIndex(of: "=") else { return nil }
            let key = line[..<equals].trimmed
            guard !excluded.contains(where: { globMatches($0, key) }) else { return nil }
            return .sysctl(
                SysctlSyntax.normalized(key), to: line[line.index(after: equals)...].trimmed,
                at: Evidence(file: file, line: number, text: line), certainty: certainty, sources)
        }
    }
}
