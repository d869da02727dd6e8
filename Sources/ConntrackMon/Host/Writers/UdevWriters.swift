// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// udev rules that act when a module is loaded.
enum UdevWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
