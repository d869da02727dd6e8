// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the commands of a shell script, or of a line that a program gives to a shell or runs itself, do to conntrack.
enum ShellText {
    /// What a script does, from its first line on.
    static func acts(ofScript text: String, in file: String, sources: WriterSources) -> [Writer.Act] { [] }

    /// What one command line does; `evidence` is where it stands.
    static func acts(ofCommand line: String, at evidence: Evidence, sources: WriterSources) -> [Writer.Act] { [] }
}
