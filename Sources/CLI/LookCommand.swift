// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

/// A command that looks once: all its flags are one group, without sections.
protocol LookCommand: ParsableCommand, FlagGroup {
    var flags: Flags<Self> { get }
}

extension LookCommand {
    static var rows: [OptionRow] { OptionTable.rows(of: command) }

    /// What it was told.
    func values() throws -> OptionValues {
        var values = OptionValues(Self.command)
        try flags.apply(to: &values)
        return values
    }

    /// Says it and ends with its exit code.
    func say(_ answer: Answer) throws {
        print(answer.text)
        if answer.exitCode != 0 { throw ExitCode(answer.exitCode) }
    }

    func validate() throws {
        _ = try validating { try values().checked() }
    }
}
