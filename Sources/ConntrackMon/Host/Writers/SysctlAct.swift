// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Writer.Act {
    /// What writing a value to a path below /proc/sys does; nil where it is no setting of conntrack's, and where the
    /// kernel refuses the value, which leaves the setting alone.
    static func sysctl(
        _ path: String, to value: String, at evidence: Evidence, certainty: Certainty = .certain, names: SettingNames
    ) -> Writer.Act? {
        guard let name = setting(path, names: names), let number = SysctlSyntax.number(value),
            number <= UInt64(Int32.max) || name.hasPrefix("nf_conntrack_frag6_")
        else { return nil }
        return .write(Write(key: name, change: .set(number), certainty: certainty, evidence: evidence))
    }

    /// The setting that a path below /proc/sys leads to.
    static func setting(_ path: String, names: SettingNames) -> String? {
        guard names.exists(path) || names.mayExist(path) else { return nil }
        return path.split(separator: "/").last.map(String.init)
    }
}
