// SPDX-License-Identifier: GPL-3.0-or-later

/// Judges lines of sysctl.d. Pure.
enum SysctlLine {
    /// nil for a line that names a setting as it must be named, that says nothing of conntrack, or that is said already:
    /// names of EL6, values that are refused.
    static func fault(in text: String, names: SettingNames) -> TextFault? {
        let clean = InvisibleText.cleaned(text)
        guard let first = clean.first, !"#;[".contains(first), namesConntrack(clean) else { return nil }
        if let assignment = SysctlSyntax.parse(text).assignments.first {
            // With a dash before it a failure is expected.
            if text.trimmed.hasPrefix("-") || assignment.isGlob || names.exists(assignment.key) { return nil }
            if names.mayExist(assignment.key), names.meant(by: assignment.key) == nil { return nil }
            if isOldName(assignment.key) { return nil }
        }
        if clean.hasPrefix("options nf") {
            return TextFault(
                reason: "options of modules stand in /etc/modprobe.d",
                cure: "write the line to /etc/modprobe.d/conntrack.conf")
        }
        guard let meant = meant(by: clean), isOurs(meant.key) else { return nil }
        return fault(of: meant, in: text, names: names)
    }

    /// What a value that the kernel refuses was to be.
    static func number(in value: String) -> UInt64? {
        let word = InvisibleText.cleaned(value).filter { !"\"'`_,=".contains($0) }.trimmed
            .split { $0 == " " || $0 == ";" || $0 == "#" }.first
        return word.flatMap { SysctlSyntax.number(String($0)) }
    }

    /// Why the kernel refuses a value.
    static func refusal(of value: String) -> String? {
        if let character = InvisibleText.first(in: value) { return "an invisible character (\(character)) is in it" }
        if InvisibleText.cleaned(value).contains(where: { "\"'`".contains($0) }) {
            return "quotation marks are taken for a part of it"
        }
        if value.hasPrefix("=") { return "the second equals sign is taken for a part of it" }
        if value.contains(";") { return "the semicolon is taken for a part of it" }
        return nil
    }

    // MARK: What was meant

    private struct Meant {
        var key: String
        var value: String
        /// What is wrong with the line, apart from the name.
        var reason: String?
    }

    private static let commands = ["sysctl", "sudo", "echo", "export", "set"]

    private static func meant(by clean: String) -> Meant? {
        let words = clean.split(separator: " ").map(String.init)
        let command = words.first?.split(separator: "/").last.map(String.init) ?? ""
        guard words.count > 1, commands.contains(command) else { return assignment(clean) }
        let reason = "a command stands where only `key = value` is read"
        if words.contains(">"), let path = words.last(where: { $0.contains("/proc/sys/") }) {
            let key = path.split(separator: "/").dropFirst(2).joined(separator: "/")
            return Meant(key: key, value: words[1], reason: reason)
        }
        let rest = words.dropFirst().drop { $0.hasPrefix("-") || commands.contains($0) }
        let quoted = rest.joined(separator: " ").filter { !"\"'".contains($0) }
        return assignment(quoted).map { Meant(key: $0.key, value: $0.value, reason: reason) }
    }

    private static func assignment(_ clean: String) -> Meant? {
        if let equals = clean.firstIndex(of: "=") {
            let key = clean[..<equals].split { $0 == " " || $0 == ":" }.last
            return key.map { Meant(key: String($0), value: String(clean[clean.index(after: equals)...])) }
        }
        let words = clean.split(separator: " ", maxSplits: 1).map(String.init)
        guard let word = words.first, word.contains(".") || word.contains("/") || word.hasPrefix("nf_conn") else {
            return nil
        }
        if let colon = clean.firstIndex(of: ":") {
            return Meant(
                key: String(clean[..<colon]).trimmed, value: String(clean[clean.index(after: colon)...]),
                reason: "a colon stands where an equals sign belongs")
        }
        guard words.count > 1 else { return Meant(key: word, value: "", reason: "no value stands behind the name") }
        return Meant(key: word, value: words[1], reason: "an equals sign is missing between name and value")
    }

    // MARK: What is wrong

    private static func fault(of meant: Meant, in text: String, names: SettingNames) -> TextFault? {
        let key = meant.key.filter { !"\"'`".contains($0) }
        let near = names.meant(by: key)
        let value = number(in: meant.value)
        // Somebody's prose, or another program's key.
        if near == nil, meant.reason != nil || !occurs("conntrack", in: key.lowercased()) { return nil }
        let full = near.map { "net.netfilter.\($0.name)" }
        var cure = "take the line out: `sysctl -a --pattern conntrack` lists the names there are"
        if let full {
            let place = value.map { "write \(full) = \($0)" } ?? "write \(full) = N, with a number for N"
            cure = place + (near?.isCertain == true ? "" : ", if that was meant")
        }
        if names.hasFixedBuckets, near?.name == SettingNames.buckets {
            let size = value.map { "\($0)" } ?? "N"
            cure = "write options nf_conntrack hashsize=\(size) to /etc/modprobe.d/conntrack.conf"
        }
        return TextFault(
            reason: reason(meant, key: key, in: text, names: names), cure: cure, setting: near?.name, value: value,
            isCertain: near != nil)
    }

    private static func reason(_ meant: Meant, key: String, in text: String, names: SettingNames) -> String {
        if let reason = meant.reason { return reason }
        let path = SysctlSyntax.normalized(key)
        let name = text.prefix { $0 != "=" }
        if path.hasSuffix(SettingNames.readOnly) {
            return "\(SettingNames.readOnly) is read-only, the number of entries; nf_conntrack_max was meant"
        }
        if names.hasFixedBuckets, path == "net/netfilter/" + SettingNames.buckets {
            return "nf_conntrack_buckets is read-only before 4.8"
        }
        if let character = InvisibleText.first(in: String(name)) {
            return "an invisible character (\(character)) is taken for a part of the name"
        }
        guard names.exists(path.lowercased()) else { return "there is no setting \(key)" }
        if path != path.lowercased() { return "names of settings have no capital letters" }
        if key != meant.key { return "quotation marks are taken for a part of the name" }
        return "the name is not all that stands before the equals sign"
    }

    private static func isOldName(_ path: String) -> Bool {
        path.hasPrefix("net/ipv4/ip_conntrack_") || path.hasPrefix("net/ipv4/netfilter/ip_conntrack_")
    }

    /// Interfaces may be called so, and IPVS has a setting of its own.
    private static func isOurs(_ key: String) -> Bool {
        guard namesConntrack(key) else { return false }
        let path = SysctlSyntax.normalized(key.lowercased())
        return !["net/ipv4/vs/", "net/ipv4/conf/", "net/ipv6/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"]
            .contains(where: path.hasPrefix)
    }
}
