// SPDX-License-Identifier: GPL-3.0-or-later

/// Judges lines of sysctl.conf that systemd and procps understand and busybox does not (1.35, tried). Pure.
enum BusyboxLine {
    static func fault(in text: String, names: SettingNames) -> TextFault? {
        let clean = InvisibleText.cleaned(text)
        guard let first = clean.first, first != "#", first != ";",
            let assignment = SysctlSyntax.parse(clean, by: .busybox).assignments.first, let value = assignment.value
        else { return nil }
        let written = assignment.writtenAs
        let number = SysctlSyntax.number(value)
        if written.contains(where: { "*?[".contains($0) }),
            namesConntrack(written) || written.hasPrefix("net.netfilter")
        {
            return TextFault(
                reason: "busybox's sysctl has no wildcards: they are taken for a part of the name",
                cure: "write each setting by its name")
        }
        let key = String(written.drop { $0 == "-" || $0 == "/" })
        guard key != written, let name = SysctlSyntax.normalized(key).split(separator: "/").last.map(String.init),
            names.exists(SysctlSyntax.normalized(key))
        else { return nil }
        let what = written.hasPrefix("-") ? "dash" : "slash"
        return TextFault(
            reason: "busybox's sysctl takes the \(what) before the name for a part of it",
            cure: "write \(key) = \(value)", setting: name, value: number)
    }
}
