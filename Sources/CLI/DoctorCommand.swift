// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct DoctorCommand: LookCommand {
    static let command = CommandName.doctor
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What a firewall restart or a reboot would do to the limit here, and what to change.",
        discussion: """
            Reads and changes nothing. Exit code: 0 nothing found, 1 warnings, 2 critical, 3 no configuration was there \
            to read. Without root it knows less. With --root a saved host is examined, a sosreport for instance: its proc and \
            sys folders are used instead of this host's, unless --procfs and --sysfs name others.
            """)

    @OptionGroup var flags: Flags<DoctorCommand>

    func validate() throws {
        _ = try validating { try values().doctorPaths() }
    }

    func run() throws {
        try say(validating { try Answer.doctor(values()) })
    }
}
