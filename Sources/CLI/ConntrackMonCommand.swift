// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon
import Glibc

@main
struct ConntrackMonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conntrack-mon",
        abstract: "Tells you before packets drop that the connection-tracking table fills up or has lost its limit.",
        discussion: """
            Only reads: no sysctl is written, no entry touched, no module loaded (unless --load-modules allows it). \
            Without CAP_NET_ADMIN everything that /proc gives still works; events and `top` need it. Options come after the command.
            """,
        version: Answer.version,
        subcommands: [
            WatchCommand.self, CheckCommand.self, StatusCommand.self, TopCommand.self, EventsCommand.self,
            DoctorCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            // Nagios reads a plugin's exit code 64 as an unknown state at best; 3 is UNKNOWN, and its text is on stdout.
            if CommandLine.arguments.dropFirst().first == "check", exitCode(for: error) == .validationFailure {
                print("CONNTRACK UNKNOWN - \(message(for: error))")
                Glibc.exit(3)
            }
            exit(withError: error)
        }
    }
}
