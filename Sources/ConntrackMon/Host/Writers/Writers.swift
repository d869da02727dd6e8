// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// All writers of a host. A new one is a file of its own and a line here.
enum Writers {
    /// In the order in which they act where moments are the same.
    static func all(_ sources: WriterSources) -> [Writer] {
        [
            ModprobeWriters.all, BootLoadWriters.all, UdevWriters.all, BootSysctlWriters.all, OtherBootSysctl.all,
            LoadListWriters.all, UfwWriters.all, ScriptWriters.all, TunedWriters.all,
            KubeProxyWriters.all,
            CorootWriters.all, PveFirewallWriters.all, OpenVZWriters.all,
        ].flatMap { $0(sources) }
    }
}
