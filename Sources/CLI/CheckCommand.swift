// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct CheckCommand: LookCommand {
    static let command = CommandName.check
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "One look, as a Nagios plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
        discussion: """
            What a running `watch` knows is taken in while its status.json is fresh; its thresholds count where none are given.
            """)

    @OptionGroup var flags: Flags<CheckCommand>

    func run() throws {
        try say(Answer.check(values()))
    }
}
