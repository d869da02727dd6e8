// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Writer.Act {
    /// What writing a value to a path below /proc/sys does; nil where it is no setting of conntrack's, and where the
    /// kernel refuses the value, which leaves the setting alone.
    static func sysctl(
        _ path: String, to value: String, at evidence: Evidence, certainty: Certainty = .certain,
        _ sources: WriterSources
    ) -> Writer.Act? {
        guard let name = setting(path, names: sources.names),
            let taken = SettingValue(value, of: name, release: sources.release)
        else { return nil }
        let doubt = min(certainty, taken.certainty)
        return .write(Write(key: name, change: .set(taken.number), certainty: doubt, evidence: evidence))
    }

    /// The setting that a path below /proc/sys leads to.
    static func setting(_ path: String, names: SettingNames) -> String? {
        guard names.exists(path) || names.mayExist(path) else { return nil }
        return path.split(separator: "/").last.map(String.init)
    }
}
