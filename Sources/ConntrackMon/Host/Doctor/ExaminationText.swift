// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Text that was written for nothing: lines and files that take no effect, and a configuration that is not there.
extension Examination {
    mutating func findMissingConfiguration() {
        guard !facts.hasConfiguration else { return }
        add(
            "no_configuration", .warning,
            "no configuration was there to read: what a firewall restart or a reboot leaves is not known",
            cure: "--root with the folder that holds the host's etc")
    }

    mutating func findText() {
        for line in facts.text.lines { find(line) }
        for file in facts.text.files { find(file) }
        findBan()
    }

    private mutating func find(_ line: IdleLine) {
        let fault = line.fault
        let isLoad = line.evidence.file.contains("/modules-load.d/")
        // A part of the kernel is neither loaded nor given options.
        if facts.modules.conntrack == .builtIn, isLoad || line.evidence.file.contains("/modprobe.d/") { return }
        if fault.failsLoad {
            add(
                "load_fails", .critical, "the next load of nf_conntrack fails: \(fault.reason)",
                evidence: [line.evidence], cure: fault.cure)
            return
        }
        // The same stands somewhere else as it must.
        let configured = fault.setting.flatMap { facts.configuration[$0]?.number }
        let isDone = isLoad ? !facts.loading.loaders.isEmpty : configured != nil && configured == fault.value
        add(
            "no_effect", isDone || !fault.isCertain ? .info : .warning, "this line takes no effect: \(fault.reason)",
            evidence: [line.evidence], cure: isDone ? "take the line out: another one does the same" : fault.cure)
    }

    private mutating func find(_ file: IdleFile) {
        let isModules = file.file.hasPrefix("/etc/modules-load.d/")
        let isSysctl = file.file.hasPrefix("/etc/sysctl.d/")
        if facts.modules.conntrack == .builtIn, !isSysctl { return }
        let isDone =
            isModules
            ? !facts.loading.loaders.isEmpty
            : !file.settings.isEmpty && file.settings.allSatisfy { facts.configuration[$0.key]?.number == $0.value }
        add(
            "no_effect", isDone ? .info : .warning,
            "\(file.file) is not read: only files whose names end in .conf are", evidence: Array(file.lines.prefix(4)),
            cure: isDone
                ? "take the file away: another one does the same"
                : "mv \(file.file) \(file.file.replacing(".conf.txt", with: "")).conf")
    }

    mutating func findRefused(_ value: ConfiguredValue) {
        let why = SysctlLine.refusal(of: value.value).map { ": \($0)" } ?? ""
        let number = SysctlLine.number(in: value.value)
        add(
            "bad_value", .warning,
            value.value.isEmpty
                ? "\(value.key) is configured without a value"
                : "\(value.key) is configured as \(InvisibleText.shown(value.value)), which the kernel refuses\(why)",
            evidence: [value.evidence],
            cure: number.map { "write \(value.writtenAs) = \($0)" } ?? "write a number, without quotation marks")
    }

    /// No cure that loads the module helps against it.
    private mutating func findBan() {
        guard let ban = facts.loading.ban, facts.modules.conntrack != .builtIn else { return }
        let configured = facts.configuration.all.filter { $0.number != nil }
        add(
            "load_forbidden", configured.isEmpty ? .info : .warning,
            (ban.file == "/proc/cmdline"
                ? "the kernel is told not to load nf_conntrack" : "modprobe is kept from loading nf_conntrack")
                + (configured.isEmpty ? "" : ": the boot applies none of the settings that are configured"),
            evidence: [ban] + configured.prefix(3).map(\.evidence),
            cure: configured.isEmpty
                ? ""
                : "take that \(ban.line == nil ? "word" : "line") out if this host is to track connections; else the settings"
        )
    }
}
