// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel

/// Every option of every command, a row each, in the order of the help. Flags, their help and README's table come from here;
/// the defaults come from `Settings`.
package enum OptionTable {
    /// What every command takes.
    package static let global = OptionSection(
        "",
        [
            OptionRow("procfs", all, at: \.procfs, .folder, "Where /proc is."),
            OptionRow("sysfs", all, at: \.sysfs, .folder, "Where /sys is."),
            OptionRow("root", all, at: \.root, .folder, "Prefix for look-ups in /etc, /run, /usr/lib."),
            OptionRow(
                "netns", all, at: \.netns, ifGiven: .name("name"),
                "Look at this network namespace: a name as `ip netns` lists it, or a path."),
            OptionRow(
                "run-dir", all, at: \.runDirectory, ifGiven: .folder, "Where status.json lies.",
                otherwise: "/run/conntrack-mon where that folder exists"),
        ])

    /// What only the commands take that look once.
    package static let looks = OptionSection(
        "",
        [
            OptionRow("by", [.top], at: \.top.by, .topFields, "What to group entries by."),
            OptionRow(
                "prefix4", [.top], at: \.top.prefix4, .prefix(of: 32),
                "How many leading bits of an IPv4 address count."),
            OptionRow(
                "prefix6", [.top], at: \.top.prefix6, .prefix(of: 128),
                "How many leading bits of an IPv6 address count."),
            OptionRow(
                "limit", [.top], at: \.top.limit, .rows, "How many groups to show; 0 = all.", letter: "n"),
            OptionRow(
                "json", [.status, .top, .doctor], at: \.json, .onOff, "One JSON object, for programs."),
            OptionRow("all", [.status], at: \.isWhole, .onOff, "Everything known, not only what a person needs first."),
            OptionRow(
                "incident", [.status], at: \.incident, ifGiven: .file(),
                "Show what led to an alert, from a file of --incident-dir."),
            OptionRow(
                "html", [.status], at: \.html, ifGiven: .file(), "Write it as one page of HTML, for a ticket."),
            OptionRow(
                "size", [.doctor], at: \.size, ifGiven: .entries, "Say how much memory that many entries take."),
            OptionRow(
                "load-modules", [.top], at: \.top.loadModules, .onOff, "Allow the dump to load nf_conntrack_netlink."),
        ])

    /// How the table is sampled, and how long.
    package static let sampling = OptionSection(
        "Sampling",
        [
            OptionRow("sample", at: \.sample, .interval, "How often count and limit are sampled."),
            OptionRow(
                "interval", at: \.interval, .interval, "How often rates are judged and a status line is printed."),
            OptionRow(
                "duration", [.watch, .events], at: \.duration, ifGiven: .interval, "Stop after this time."),
            OptionRow(
                "count", [.watch, .events], at: \.count, ifGiven: .whole("n"), "Stop after this many intervals.",
                brief: "Stop after this many events."),
            OptionRow("ring", at: \.ring, .whole("slots"), "Ring slots, a power of two."),
        ])

    /// Which events are read, how, and at what cost.
    package static let events = OptionSection(
        "Events",
        [
            OptionRow(
                "events", at: \.events, .eventGroups, "Which events to count: any of new,update,destroy, or none."),
            OptionRow(
                "source", [.watch, .events], at: \.source, .choice("source"),
                "How to read events: bpf, netlink, none, or auto, the fastest this host allows."),
            OptionRow(
                "event-budget", at: \.eventBudget, .budget,
                "What listening for events may cost this host, a share of one core. Above it only part of the time is listened"
                    + " and rates are estimated; 100% = never, every event is counted."),
            OptionRow(
                "event-cost", at: \.eventCost, .cost,
                "What one event costs whoever makes the connection, for --event-budget."),
            OptionRow(
                "load-modules", [.watch, .events], at: \.loadModules, .onOff,
                "Allow loading nf_conntrack_netlink for events."),
            OptionRow(
                "receive-buffer", [.watch, .events], at: \.receiveBuffer, .size,
                "Receive buffer for events, used only while events wait; a bpf ring gets half of it."),
        ])

    /// What is judged, and when it is said.
    package static let alerts = OptionSection(
        "Alerts",
        [
            OptionRow(
                "warn", [.watch, .check, .status], at: \.rules.warn, .share, "Usage that warns, a share of the limit.",
                letter: "w", brief: "Usage that warns."),
            OptionRow(
                "crit", [.watch, .check, .status], at: \.rules.crit, .share, "Usage that is critical.", letter: "c"),
            OptionRow("warn-hold", at: \.rules.warnHold, .duration, "How long usage must be over --warn."),
            OptionRow("crit-hold", at: \.rules.critHold, .duration, "How long usage must be over --crit."),
            OptionRow(
                "clear-hold", at: \.rules.clearHold, .duration,
                "How long usage must be clear before usage_high ends."),
            OptionRow(
                "clear-margin", at: \.rules.clearMargin, .share, "A threshold clears only this far below itself."),
            OptionRow(
                "repeat", at: \.rules.repeatEvery, .duration, "A firing alert is said again this often; 0s = once."),
            OptionRow(
                "unload-hold", at: \.rules.unloadHold, .duration,
                "How long the module must be gone before module_unloaded fires."),
            OptionRow(
                "settle", at: \.rules.settle, .duration,
                "How long the limit may take to be put back after a reload."),
            OptionRow(
                "expect-max", [.watch, .check, .status], at: \.rules.expectMax, .limit,
                "The limit this host should have: a number, or auto, the one it had.",
                brief: "The limit this host should have."),
            OptionRow(
                "adopt", at: \.rules.adopt, .duration,
                "A lower limit written by hand becomes the normal one after this long; 0s = never."),
            OptionRow(
                "forecast", at: \.rules.forecast, .duration,
                "Warn when the table would be full within this time; 0s = off."),
            OptionRow(
                "nat-ports", at: \.rules.natPorts, .share,
                "Share of a NAT address's ports towards one destination that warns; 0% = off."),
            OptionRow(
                "boot-grace", at: \.rules.bootGrace, .duration,
                "For this long after boot, configured values that are not there yet are not judged."),
            OptionRow(
                "absent", at: \.rules.absent, .autoOrChoice("state"),
                "What a module that was never seen means: ok, warning, critical, or auto, a notice."),
            OptionRow("absent", [.check], at: \.checkAbsent, .checkState, "What a host without nf_conntrack is."),
        ])

    /// Where it is said, and what is kept.
    package static let output = OptionSection(
        "Output",
        [
            OptionRow(
                "format", at: \.formatChoice, .choice("format", isListed: true),
                "What stdout gets: live (a view with keys, on a terminal), lines, json, none, or auto: live on a terminal,"
                    + " else lines."),
            OptionRow("alert-format", at: \.alertFormat, .choice("format"), "How stderr is worded: text or json."),
            OptionRow(
                "textfile", at: \.textfile, ifGiven: .file(),
                "Prometheus text file, replaced as a whole; its name must end in .prom."),
            OptionRow(
                "textfile-interval", at: \.textfileInterval, .interval,
                "How often it is written, and at once when an alert changes."),
            OptionRow("per-cpu", at: \.perCPU, .onOff, "Kernel statistics with a cpu label instead of sums."),
            OptionRow(
                "state", at: \.state, ifGiven: .file(),
                "File that keeps limit, settings and 24 h peak across restarts, to say what happened meanwhile."),
            OptionRow(
                "on-alert", at: \.hook, ifGiven: .file("program"),
                "Program to run on every alert change and notice; JSON on its standard input."),
            OptionRow(
                "incident-dir", at: \.incidentFolder, ifGiven: .folder,
                "Folder for what led to each critical alert: the last minutes, kept in memory until then."),
            OptionRow("incident-window", at: \.incidentWindow, .interval, "How far back that goes."),
            OptionRow("incident-keep", at: \.incidentsKept, .whole("files"), "How many are kept there."),
        ])

    /// All of them, in the order of the help.
    package static let sections = [global, looks, filters, stream, sampling, events, alerts, output]

    /// The options of `command`, in the order of its help.
    package static func rows(of command: CommandName) -> [OptionRow] {
        switch command {
        case .watch: watchRows
        case .events: sections.flatMap(\.rows).filter { $0.commands.contains(.events) }
        default: lookRows.filter { $0.commands.contains(command) }
        }
    }

    private static let watchRows = sections.flatMap(\.rows).filter { $0.commands.contains(.watch) }
    /// Without the sections that are `watch`'s alone: each start of `check` would make their rows for nothing.
    private static let lookRows = [global, looks, filters, alerts].flatMap(\.rows)

    /// What `top --by` takes.
    package static var topKeys: [String] { TopField.allCases.map(\.rawValue) }

    private static let all = Set(CommandName.allCases)
}
