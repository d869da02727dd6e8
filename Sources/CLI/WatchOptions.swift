// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon
import Glibc

struct SamplingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How often count and limit are sampled. (default: 100ms)", valueName: "duration"),
        transform: parseInterval)
    var sample: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often rates are judged and a status line is printed. (default: 1s)", valueName: "duration"),
        transform: parseInterval)
    var interval: Duration?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Stop after this time.", valueName: "duration"),
        transform: parseInterval)
    var duration: Duration?

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop after this many intervals.", valueName: "n"))
    var count: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Ring slots, a power of two.", valueName: "slots"))
    var ring = 65536

    func validate() throws {
        guard EventRing.accepts(capacity: ring) else {
            throw ValidationError("--ring \(ring): must be a power of two from 2 to 16777216")
        }
        if let count, count < 1 { throw ValidationError("--count \(count): must be at least 1") }
        let (sample, interval) = (sample ?? Settings().sample, interval ?? Settings().interval)
        guard sample <= interval else {
            throw ValidationError(
                "--sample \(durationText(sample)) is longer than --interval \(durationText(interval))"
            )
        }
    }

    func apply(to settings: inout Settings) throws {
        settings.sample = sample ?? settings.sample
        settings.interval = interval ?? settings.interval
        settings.duration = duration
        settings.count = count
        settings.ring = ring
    }
}

struct EventOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which events to count: any of new,update,destroy, or none. (default: new,destroy)", valueName: "list"),
        transform: parseEvents)
    var events: EventGroups?

    @Option(
        help: ArgumentHelp(
            "How to read events: bpf, netlink, none, or auto, the fastest this host allows. (default: auto)",
            valueName: "source"),
        transform: parseChoice)
    var source: SourceChoice = .auto

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What listening for events may cost this host, a share of one core. Above it only part of the time is listened"
                + " and rates are estimated; 100% = never, every event is counted. (default: 100%)", valueName: "share"),
        transform: parseBudget)
    var eventBudget: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What one event costs whoever makes the connection, for --event-budget. (default: 2.5us)", valueName: "time"
        ),
        transform: parseCost)
    var eventCost: Duration?

    @Flag(help: "Allow loading nf_conntrack_netlink for events.")
    var loadModules = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Receive buffer for events, used only while events wait; a bpf ring gets half of it. (default: 16M)",
            valueName: "size"),
        transform: parseSize)
    var receiveBuffer: UInt32?

    func apply(to settings: inout Settings) {
        settings.events = events ?? settings.events
        settings.source = source
        settings.eventBudget = eventBudget ?? settings.eventBudget
        settings.eventCost = eventCost ?? settings.eventCost
        settings.loadModules = loadModules
        settings.receiveBuffer = receiveBuffer ?? settings.receiveBuffer
    }
}

struct AlertOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Usage that warns, a share of the limit. (default: 75%)", valueName: "share"),
        transform: parseShare)
    var warn: Double?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Usage that is critical. (default: 90%)", valueName: "share"),
        transform: parseShare)
    var crit: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long usage must be over --warn. (default: 30s)", valueName: "duration"),
        transform: parseDuration)
    var warnHold: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long usage must be over --crit. (default: 5s)", valueName: "duration"),
        transform: parseDuration)
    var critHold: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long usage must be clear before usage_high ends. (default: 60s)", valueName: "duration"),
        transform: parseDuration)
    var clearHold: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A threshold clears only this far below itself. (default: 5%)", valueName: "share"),
        transform: parseShare)
    var clearMargin: Double?

    @Option(
        name: .customLong("repeat"),
        parsing: .unconditional,
        help: ArgumentHelp("A firing alert is said again this often; 0s = once. (default: 15m)", valueName: "duration"),
        transform: parseDuration)
    var repeatEvery: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long the module must be gone before module_unloaded fires. (default: 5s)", valueName: "duration"),
        transform: parseDuration)
    var unloadHold: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long the limit may take to be put back after a reload. (default: 2s)", valueName: "duration"),
        transform: parseDuration)
    var settle: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The limit this host should have: a number, or auto, the one it had. (default: auto)", valueName: "limit"),
        transform: parseExpectedLimit)
    var expectMax: UInt64??

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A lower limit written by hand becomes the normal one after this long; 0s = never. (default: 15m)",
            valueName: "duration"), transform: parseDuration)
    var adopt: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Warn when the table would be full within this time; 0s = off. (default: 10m)", valueName: "duration"),
        transform: parseDuration)
    var forecast: Duration?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "For this long after boot, configured values that are not there yet are not judged. (default: 2m)",
            valueName: "duration"), transform: parseDuration)
    var bootGrace: Duration?

    @Option(
        help: ArgumentHelp(
            "What a module that was never seen means: ok, warning, critical, or auto, a notice. (default: auto)",
            valueName: "state"), transform: parseAbsent)
    var absent: AbsentMeaning??

    func validate() throws {
        let defaults = RuleSettings()
        let (warn, crit) = (warn ?? defaults.warn, crit ?? defaults.crit)
        guard warn > 0 else { throw ValidationError("--warn 0%: must be above 0") }
        guard warn <= crit else {
            throw ValidationError("--warn \(percent(warn)) is above --crit \(percent(crit))")
        }
    }

    func apply(to rules: inout RuleSettings) throws {
        rules.warn = warn ?? rules.warn
        rules.crit = crit ?? rules.crit
        rules.warnHold = warnHold ?? rules.warnHold
        rules.critHold = critHold ?? rules.critHold
        rules.clearHold = clearHold ?? rules.clearHold
        // A margin as wide as the threshold itself would never let it clear.
        rules.clearMargin = min(clearMargin ?? rules.clearMargin, rules.warn / 2)
        rules.repeatEvery = repeatEvery ?? rules.repeatEvery
        rules.unloadHold = unloadHold ?? rules.unloadHold
        rules.settle = settle ?? rules.settle
        rules.expectMax = expectMax ?? nil
        rules.adopt = adopt ?? rules.adopt
        rules.bootGrace = bootGrace ?? rules.bootGrace
        rules.absent = absent ?? nil
        rules.forecast = forecast ?? rules.forecast
    }
}

struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What stdout gets: lines, json, none, or auto.", valueName: "format"))
    var format = FormatChoice.auto

    @Option(
        help: ArgumentHelp("How stderr is worded: text or json. (default: text)", valueName: "format"),
        transform: parseChoice)
    var alertFormat: AlertFormat = .text

    @Option(
        help: ArgumentHelp("Prometheus text file, replaced as a whole; its name must end in .prom.", valueName: "file"))
    var textfile: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often it is written, and at once when an alert changes. (default: 15s)", valueName: "duration"),
        transform: parseInterval)
    var textfileInterval: Duration?

    @Flag(name: .customLong("per-cpu"), help: "Kernel statistics with a cpu label instead of sums.")
    var perCPU = false

    @Option(
        help: ArgumentHelp(
            "File that keeps limit, settings and 24 h peak across restarts, to say what happened meanwhile.",
            valueName: "file"))
    var state: String?

    @Option(
        help: ArgumentHelp(
            "Program to run on every alert change and notice; JSON on its standard input.", valueName: "program"))
    var onAlert: String?

    func validate() throws {
        if let state {
            guard !state.isEmpty, !state.hasSuffix("/") else {
                throw ValidationError("--state '\(state)': is no file name")
            }
            // Replacing a device by a file would do harm.
            guard isPlainFileOrNone(state) else { throw ValidationError("--state \(state): is no plain file") }
        }
        guard let textfile else { return }
        guard textfile.hasSuffix(".prom") else {
            throw ValidationError("--textfile \(textfile): the name must end in .prom, or no collector reads it")
        }
        guard !isFolder(textfile) else { throw ValidationError("--textfile \(textfile): is a folder") }
    }

    func apply(to settings: inout Settings) throws {
        settings.format = format.format
        settings.alertFormat = alertFormat
        settings.journal = isJournal
        settings.textfile = textfile
        settings.textfileInterval = textfileInterval ?? settings.textfileInterval
        settings.perCPU = perCPU
        settings.hook = onAlert
        settings.state = state
        if let textfile { try probe("--textfile", textfile) }
        if let state { try probe("--state", state) }
        if let onAlert, onAlert.contains("/"), access(onAlert, X_OK) != 0 {
            throw Failure("\(SystemError("run", "--on-alert \(onAlert)", errno))")
        }
    }

    /// A folder that cannot be written to is said now, not when the first alert should have gone there.
    private func probe(_ flag: String, _ path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, W_OK | X_OK) == 0 else {
            throw Failure("\(SystemError("write", "\(flag) \(path), folder \(folder)", errno))")
        }
    }

    /// systemd names the device and inode of the journal's stream in JOURNAL_STREAM (systemd.exec(5)).
    private var isJournal: Bool {
        guard let stream = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        return fstat(2, &status) == 0 && String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }
}
