// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// rc.local, units and cron @reboot jobs that set conntrack settings, applied late.
enum ScriptWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
