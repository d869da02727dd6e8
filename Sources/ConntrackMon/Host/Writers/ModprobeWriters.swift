// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// modprobe.d: the options and install lines of the modules that bring nf_conntrack.
enum ModprobeWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
