// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What kube-proxy is told to do to conntrack: its flags or its configuration, with its defaults.
struct KubeProxySettings: Equatable, Sendable {
    /// One of them. In seconds where it is a time.
    struct Setting: Equatable, Sendable {
        /// 0 to leave the setting as it is; nil where it can't be known.
        var value: UInt64?
        /// Where it stands; nil for a default.
        var evidence: Evidence?
    }

    var maxPerCore = Setting(value: 32_768)
    var minimum = Setting(value: 131_072)
    /// The limit itself, before 1.13: a number here is taken instead of one by cores.
    var maximum = Setting(value: 0)
    var established = Setting(value: 86_400)
    var closeWait = Setting(value: 3_600)
    /// 1.29 and later.
    var beLiberal = Setting(value: 0)
    var udp = Setting(value: 0)
    var udpStream = Setting(value: 0)

    private typealias Path = WritableKeyPath<KubeProxySettings, Setting>
    /// The times, by flag, name in the configuration, and setting.
    private static var times: [(flag: String, name: String, key: String, path: Path)] {
        [
            ("conntrack-tcp-timeout-established", "tcpEstablishedTimeout", "tcp_timeout_established", \.established),
            ("conntrack-tcp-timeout-close-wait", "tcpCloseWaitTimeout", "tcp_timeout_close_wait", \.closeWait),
            ("conntrack-udp-timeout", "udpTimeout", "udp_timeout", \.udp),
            ("conntrack-udp-timeout-stream", "udpStreamTimeout", "udp_timeout_stream", \.udpStream),
        ]
    }
    private static var numbers: [(flag: String, name: String, path: Path)] {
        [
            ("conntrack-max-per-core", "maxPerCore", \.maxPerCore), ("conntrack-min", "min", \.minimum),
            ("conntrack-max", "max", \.maximum),
        ]
    }

    init() {}

    /// As flags say; all others at their defaults.
    init(_ flags: KubeProxyFlags) {
        for number in Self.numbers {
            if let flag = flags[number.flag] {
                self[keyPath: number.path] = Setting(value: KubeText.count(flag.value), evidence: flag.evidence)
            }
        }
        for time in Self.times {
            if let flag = flags[time.flag] {
                self[keyPath: time.path] = Setting(value: KubeText.seconds(flag.value), evidence: flag.evidence)
            }
        }
        if let flag = flags["conntrack-tcp-be-liberal"] {
            beLiberal = Setting(value: KubeText.isTrue(flag.value) ? 1 : 0, evidence: flag.evidence)
        }
    }

    /// As a configuration says; nil where it is none of kube-proxy's.
    init?(_ text: String, file: String) {
        guard let documents = YAMLText.documents(text), let root = documents.first else { return nil }
        if root["kind"]?.text == "ConfigMap" {
            let inner = root["data"]?.entries.lazy.compactMap { $0.value.text }.compactMap {
                occurs("KubeProxyConfiguration", in: $0) ? KubeProxySettings($0, file: file) : nil
            }.first
            guard let inner else { return nil }
            // The lines of a text inside a text are not those of the file.
            self = inner.at(Evidence(file: file, text: ""))
            return
        }
        guard root["kind"]?.text == "KubeProxyConfiguration" else { return nil }
        guard let conntrack = root["conntrack"] ?? root["linux"]?["conntrack"] else { return }
        func setting(_ name: String, _ reading: (String) -> UInt64?) -> Setting? {
            guard let node = conntrack[name], node.content != .null else { return nil }
            let text = node.text ?? ""
            return Setting(
                value: reading(text), evidence: Evidence(file: file, line: node.line, text: "\(name): \(text)"))
        }
        for number in Self.numbers where number.name != "max" {
            if let found = setting(number.name, KubeText.count) { self[keyPath: number.path] = found }
        }
        for time in Self.times {
            if let found = setting(time.name, KubeText.seconds) { self[keyPath: time.path] = found }
        }
        if let found = setting("tcpBeLiberal", { $0 == "true" ? 1 : 0 }) { beLiberal = found }
    }

    /// Where a configuration can't be read: what a running kube-proxy has set, if that is what its defaults are; for the
    /// rest nothing is known.
    init(seenIn live: (String) -> UInt64?, version: KubeVersion?, cores: Int?) {
        let targets = limits(version: version, cores: cores)
        if !(live("nf_conntrack_max").map(targets.contains) ?? false) { maxPerCore.value = nil }
        for time in Self.times where self[keyPath: time.path].value != 0 {
            if live("nf_conntrack_\(time.key)") != self[keyPath: time.path].value {
                self[keyPath: time.path].value = nil
            }
        }
    }

    /// All that is set somewhere, at one place.
    private func at(_ evidence: Evidence) -> KubeProxySettings {
        var moved = self
        for path in Self.numbers.map(\.path) + Self.times.map(\.path) + [\.beLiberal]
        where moved[keyPath: path].evidence != nil {
            moved[keyPath: path].evidence = evidence
        }
        return moved
    }

    /// Whether it leaves the limit as it is.
    private var leavesLimit: Bool { maximum.value == 0 && maxPerCore.value == 0 }

    /// The limits that it may choose, the lowest first: two where only the version decides; none where it chooses none, or
    /// none that can be known.
    func limits(version: KubeVersion?, cores: Int?) -> [UInt64] {
        if let maximum = maximum.value, maximum > 0 { return [maximum] }
        guard maximum.value == 0, let maxPerCore = maxPerCore.value, maxPerCore > 0, let minimum = minimum.value,
            let cores, cores > 0, maxPerCore <= UInt64(Int32.max)
        else { return [] }
        let scaled = maxPerCore * UInt64(min(cores, 1 << 20))
        let plain = max(scaled, minimum)
        // The cap comes before the minimum in its source.
        let capped = scaled > KubeVersion.cap ? KubeVersion.cap : plain
        switch KubeVersion.capsLimit(version) {
        case true?: return [capped]
        case false?: return [plain]
        case nil: return capped == plain ? [plain] : [min(capped, plain), max(capped, plain)]
        }
    }

    /// What kube-proxy does with them when it starts.
    /// - Parameter live: What is live on a host where it runs. A timeout that is as it wants it is so after its next start
    ///   too, whatever its version: it set it, or found it so.
    func acts(version: KubeVersion?, cores: Int?, live: (String) -> UInt64? = { _ in nil }) -> [Writer.Act] {
        var acts: [Writer.Act] = []
        if !leavesLimit { acts += limitActs(version: version, cores: cores) }
        for time in Self.times {
            let (key, setting) = ("nf_conntrack_\(time.key)", self[keyPath: time.path])
            let lowers = KubeVersion.lowersTimeouts(version)
            let isSet = lowers == .may && setting.value != nil && live(key) == setting.value
            acts += Self.acts(key, setting, isSet ? .always : lowers)
        }
        acts += Self.acts("nf_conntrack_tcp_be_liberal", beLiberal, .always)
        return acts
    }

    /// What k3s and rke2 do with them themselves, in all versions since May 2021: the limit and both timeouts, whatever
    /// was there, the limit without a cap, and nothing of the hash.
    func ownActs(cores: Int?) -> [Writer.Act] {
        var acts: [Writer.Act] = []
        if !leavesLimit {
            let limit = limits(version: KubeVersion(minor: 35), cores: cores).first
            acts += Self.acts("nf_conntrack_max", Setting(value: limit, evidence: evidence(of: limit)), .always)
        }
        acts += Self.acts("nf_conntrack_tcp_timeout_established", established, .always)
        acts += Self.acts("nf_conntrack_tcp_timeout_close_wait", closeWait, .always)
        return acts
    }

    /// Where what decides a limit stands.
    private func evidence(of limit: UInt64?) -> Evidence? {
        if maximum.value != 0 { return maximum.evidence }
        if limit == minimum.value, let evidence = minimum.evidence { return evidence }
        return maxPerCore.evidence ?? minimum.evidence
    }

    private func limitActs(version: KubeVersion?, cores: Int?) -> [Writer.Act] {
        let limits = limits(version: version, cores: cores)
        let evidence = evidence(of: limits.first)
        func write(_ key: String, _ change: Write.Change, _ certainty: Certainty) -> Writer.Act {
            .write(Write(key: key, change: change, certainty: certainty, evidence: evidence))
        }
        guard let least = limits.first else {
            return [write("nf_conntrack_max", .unknown, .may), write(SettingNames.buckets, .unknown, .may)]
        }
        let lowers = KubeVersion.lowersLimit(version)
        var acts: [Writer.Act] = []
        if lowers == .always, limits.count == 1 {
            acts = [write("nf_conntrack_max", .set(least), .certain)]
        } else {
            // It is raised in any case; which numbers may be written over a higher one, the version decides.
            acts = [write("nf_conntrack_max", .raise(least), .certain)]
            acts += limits.dropFirst().map { write("nf_conntrack_max", .raise($0), .may) }
            if lowers != .never { acts += limits.reversed().map { write("nf_conntrack_max", .set($0), .may) } }
        }
        // The hash gets a quarter of it, in every version only if it has fewer.
        acts += [write(SettingNames.buckets, .raise(least / 4), .certain)]
        acts += limits.dropFirst().map { write(SettingNames.buckets, .raise($0 / 4), .may) }
        return acts
    }

    private static func acts(_ key: String, _ setting: Setting, _ lowers: KubeVersion.Lowers) -> [Writer.Act] {
        func write(_ change: Write.Change, _ certainty: Certainty) -> Writer.Act {
            .write(Write(key: key, change: change, certainty: certainty, evidence: setting.evidence))
        }
        guard let value = setting.value else { return [write(.unknown, .may)] }
        guard value > 0 else { return [] }
        switch lowers {
        case .always: return [write(.set(value), .certain)]
        case .never: return [write(.raise(value), .certain)]
        case .may: return [write(.raise(value), .certain), write(.set(value), .may)]
        }
    }
}

/// Numbers as Kubernetes' programs read them. Pure.
enum KubeText {
    /// An int32 that is not negative, as Go reads it; nil where such a program would not start.
    static func count(_ text: String) -> UInt64? {
        let digits = text.replacing("_", with: "")
        let number =
            digits.lowercased().hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        return number.flatMap { $0 <= UInt64(Int32.max) ? $0 : nil }
    }

    /// The seconds of a Go duration: "24h0m0s", "1h30m", "90s", "0". nil where it is none, or a part of a second.
    static func seconds(_ text: String) -> UInt64? {
        if text == "0" { return 0 }
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty, rest.utf8.count <= 40 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            guard let factor = ["h": 3600, "m": 60, "s": 1, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9][unit]
            else { return nil }
            total += number * factor
        }
        guard total == 0 || total >= 1, total < 1e10 else { return nil }
        return UInt64(total)
    }

    static func isTrue(_ text: String) -> Bool { ["1", "t", "T", "true", "TRUE", "True"].contains(text) }
}
