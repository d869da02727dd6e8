// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon
import Glibc

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "One look, as a Nagios plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
        discussion: "What a running `watch` knows is taken in while its status.json is fresh.")

    /// `--absent`.
    enum Absent: String, ExpressibleByArgument, CaseIterable {
        case ok, warning, critical, unknown
    }

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: ArgumentHelp("Usage that warns. (default: 75%)", valueName: "share"),
        transform: parseShare)
    var warn: Double?

    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: ArgumentHelp("Usage that is critical. (default: 90%)", valueName: "share"),
        transform: parseShare)
    var crit: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The limit this host should have. (default: auto)", valueName: "limit"),
        transform: parseExpectedLimit)
    var expectMax: UInt64??

    @Option(help: ArgumentHelp("What a host without nf_conntrack is.", valueName: "state"))
    var absent = Absent.critical

    func validate() throws {
        let defaults = CheckSettings()
        let (warn, crit) = (warn ?? defaults.warn, crit ?? defaults.crit)
        guard warn > 0 else { throw ValidationError("--warn 0%: must be above 0") }
        guard warn <= crit else {
            throw ValidationError("--warn \(percent(warn)) is above --crit \(percent(crit))")
        }
    }

    func run() throws {
        var settings = Settings()
        do {
            try global.apply(to: &settings)
        } catch {
            print("CONNTRACK UNKNOWN - \(error)")
            throw ExitCode(CheckResult.State.unknown.rawValue)
        }
        var checks = CheckSettings()
        checks.warn = warn ?? checks.warn
        checks.crit = crit ?? checks.crit
        checks.expectMax = expectMax ?? nil
        checks.absent =
            switch absent {
            case .ok: .ok
            case .warning: .warning
            case .critical: .critical
            case .unknown: .unknown
            }
        let shot = OneShot(settings, host: GlobalOptions.host)
        checks.configured = shot.configured
        let result = check(
            shot.report.sample.table, watch: shot.watch, procfs: settings.procfs, settings: checks)
        print(result.line)
        throw ExitCode(result.state.rawValue)
    }
}
