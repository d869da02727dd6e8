// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "One look: everything known now, what is wrong first.",
        discussion: "What a running `watch` knows is taken in while its status.json is fresh.")

    @OptionGroup var global: GlobalOptions

    @Flag(help: "One JSON object, for programs.")
    var json = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The limit this host should have. (default: auto)", valueName: "limit"),
        transform: parseExpectedLimit)
    var expectMax: UInt64??

    func run() throws {
        var settings = Settings()
        settings.rules.expectMax = expectMax ?? nil
        try global.apply(to: &settings)
        let shot = OneShot(settings, host: GlobalOptions.host)
        let now = StatusDocument(shot.report)
        let document = shot.watch?.refreshed(by: now) ?? now
        print(json ? document.json() : document.text())
    }
}
