// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// tuned's active profile.
enum TunedWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
