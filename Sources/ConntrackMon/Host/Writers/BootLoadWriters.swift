// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What loads modules at boot before sysctl configuration is applied.
enum BootLoadWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
