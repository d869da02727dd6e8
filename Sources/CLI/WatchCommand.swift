// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Runs until stopped: samples the table, counts events, judges, publishes.",
        discussion: """
            A view on a terminal, else a status line an interval on stdout; alerts, notices and its own log on stderr. SIGHUP accepts the limit that \
            is live, SIGUSR1 writes the status to stderr, SIGTERM and SIGINT end it.
            """)

    @OptionGroup var global: Flags<Global>
    @OptionGroup(title: OptionTable.sampling.title) var sampling: Flags<Sampling>
    @OptionGroup(title: OptionTable.events.title) var events: Flags<Events>
    @OptionGroup(title: OptionTable.alerts.title) var alerts: Flags<Alerts>
    @OptionGroup(title: OptionTable.output.title) var output: Flags<Output>

    private func values() throws -> OptionValues {
        var values = OptionValues(.watch)
        try global.apply(to: &values)
        try sampling.apply(to: &values)
        try events.apply(to: &values)
        try alerts.apply(to: &values)
        try output.apply(to: &values)
        return values
    }

    func validate() throws {
        try validating {
            let values = try values()
            _ = try values.checked()
            try values.checkFiles()
        }
    }

    func run() throws {
        if try !Monitor(values().prepared(), host: Probe.hostName).run() { throw ExitCode.failure }
    }
}

/// A section of the table, as a type.
protocol WatchSection: FlagGroup {
    static var section: OptionSection { get }
}

extension WatchSection {
    static var command: CommandName { .watch }
    static var rows: [OptionRow] { section.rows.filter { $0.commands.contains(.watch) } }
}

extension WatchCommand {
    enum Global: WatchSection { static var section: OptionSection { OptionTable.global } }
    enum Sampling: WatchSection { static var section: OptionSection { OptionTable.sampling } }
    enum Events: WatchSection { static var section: OptionSection { OptionTable.events } }
    enum Alerts: WatchSection { static var section: OptionSection { OptionTable.alerts } }
    enum Output: WatchSection { static var section: OptionSection { OptionTable.output } }
}
