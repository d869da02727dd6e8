// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// coroot's node agent.
enum CorootWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
