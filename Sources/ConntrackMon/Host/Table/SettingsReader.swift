// SPDX-License-Identifier: GPL-3.0-or-later

/// What changes seldom, read by the main thread: every nf_conntrack_* setting, and what sysctl configuration says they
/// should be.
struct SettingsReader {
    /// 42 small files, 0.2 ms: often enough to know what a reload takes away.
    private static let settingsEvery = Duration.seconds(10)
    private static let configurationEvery = Duration.seconds(60)
    private static let prefix = "nf_conntrack_"

    private let procfs: String
    private let root: String?
    /// Settings other than the limit belong to one network namespace; sysctl.d is about the initial one.
    private let isInitialNamespace: Bool
    private var settingsDue = MonotonicTime(nanoseconds: 0)
    private var configurationDue = MonotonicTime(nanoseconds: 0)

    /// The last reading, whole names.
    private(set) var parameters: [(name: String, value: UInt64)] = []

    /// `root` nil: no configuration is about this /proc.
    init(procfs: String, root: String?, isInitialNamespace: Bool) {
        self.procfs = procfs
        self.root = root
        self.isInitialNamespace = isInitialNamespace
    }

    /// A reading without the prefix and the limit, which has its own watch; nil when none is due.
    mutating func settings(at time: MonotonicTime, now: Bool) -> [String: UInt64]? {
        guard now || time >= settingsDue else { return nil }
        settingsDue = time + SettingsReader.settingsEvery
        parameters = readParameters(procfs: procfs)
        let named = parameters.filter { $0.name != "nf_conntrack_max" }.map { (short($0.name), $0.value) }
        return Dictionary(named) { first, _ in first }
    }

    struct Configured {
        var limit: ConfiguredLimit?
        var parameters: [String: ConfiguredParameter]
    }

    /// What is configured; nil when it is not due to be read again.
    mutating func configuration(at time: MonotonicTime, now: Bool) -> Configured? {
        guard let root, now || time >= configurationDue else { return nil }
        configurationDue = time + SettingsReader.configurationEvery
        let configuration = SysctlConfiguration.load(root: root)
        let limit = ConfiguredLimit(configuration)
        var parameters: [String: ConfiguredParameter] = [:]
        for value in configuration.all where isInitialNamespace && value.key != "nf_conntrack_max" {
            guard let number = value.number else { continue }
            parameters[short(value.key)] = ConfiguredParameter(value: number, place: value.place)
        }
        return Configured(limit: limit, parameters: parameters)
    }

    private func short(_ name: String) -> String {
        name.hasPrefix(SettingsReader.prefix) ? String(name.dropFirst(SettingsReader.prefix.count)) : name
    }
}

extension ConfiguredLimit {
    init?(_ configuration: SysctlConfiguration) {
        guard let value = configuration["nf_conntrack_max"], let number = value.number else { return nil }
        self.init(limit: number, place: value.place)
    }

    /// What is configured for the host that `settings` look at; nil when nothing is, or only a /proc was saved.
    public static func of(_ settings: Settings) -> ConfiguredLimit? {
        settings.configurationRoot.flatMap { ConfiguredLimit(SysctlConfiguration.load(root: $0)) }
    }
}

extension Settings {
    /// Where the configuration lies that is about this /proc: this host's is not about a saved one, but what lies under
    /// a --root of its own may be.
    var configurationRoot: String? {
        KernelFile.isProcfs(procfs) || root != "" ? root : nil
    }
}
