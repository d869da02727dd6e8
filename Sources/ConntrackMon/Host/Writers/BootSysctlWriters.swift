// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What applies sysctl configuration at boot.
enum BootSysctlWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
