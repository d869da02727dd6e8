// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct EventsCommand: LookCommand {
    static let command = CommandName.events
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Prints each event of the table as it comes: what `conntrack -E` prints, JSON, or a table.",
        discussion: """
            Goes on when the kernel drops some, and says how many on stderr. Ends at SIGINT and SIGTERM, when whoever reads it \
            goes away, after --count or --duration. Needs CAP_NET_ADMIN.
            """)

    @OptionGroup var flags: Flags<EventsCommand>

    func run() throws {
        var stream = try EventStream(values().prepared())
        try stream.run()
    }
}
