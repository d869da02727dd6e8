// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon
import Glibc

/// `--format`: auto is lines.
enum FormatChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, lines, json, none

    var format: StatusFormat {
        switch self {
        case .auto, .lines: .lines
        case .json: .json
        case .none: .none
        }
    }
}

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Runs until stopped: samples the table, counts events, judges, publishes.",
        discussion: """
            A status line an interval on stdout; alerts, notices and its own log on stderr. SIGHUP accepts the limit that \
            is live, SIGUSR1 writes the status to stderr, SIGTERM and SIGINT end it.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Events") var events: EventOptions
    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        var settings = Settings()
        try sampling.apply(to: &settings)
        events.apply(to: &settings)
        try alerts.apply(to: &settings.rules)
        try output.apply(to: &settings)
        try global.apply(to: &settings)
        try Monitor(settings, host: GlobalOptions.host).run()
    }
}
