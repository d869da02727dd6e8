// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct TopCommand: LookCommand {
    static let command = CommandName.top
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Who fills the table now: the largest groups of entries, exact, from one dump.",
        discussion: """
            Keys: \(OptionTable.topKeys.joined(separator: ", ")). Several, separated by commas, group by \
            their combination. A dump takes the kernel about 2 µs an entry and needs CAP_NET_ADMIN.
            """)

    @OptionGroup var flags: Flags<TopCommand>

    func run() throws {
        try say(Answer.top(values()))
    }
}
