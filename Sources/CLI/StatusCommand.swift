// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct StatusCommand: LookCommand {
    static let command = CommandName.status
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "One look: everything known now, what is wrong first.",
        discussion: """
            What a running `watch` knows is taken in while its status.json is fresh; its thresholds count where none are given.
            """)

    @OptionGroup var flags: Flags<StatusCommand>

    func run() throws {
        try say(Answer.status(values()))
    }
}
