// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel
internal import ConntrackRing

extension OptionValues {
    /// The settings to work with, once they hold together; else one line that names option, value and place.
    package func checked() throws(OptionError) -> Settings {
        try checkSampling()
        try checkThresholds()
        try checkNames()
        if command == .events || command == .top { try checkFilter() }
        if command == .events { try checkStream() }
        var settings = settings
        // A margin as wide as the threshold itself would never let it clear.
        settings.rules.clearMargin = min(settings.rules.clearMargin, settings.rules.warn / 2)
        return settings
    }

    private func checkSampling() throws(OptionError) {
        guard EventRing.accepts(capacity: settings.ring) else {
            throw fault("ring", settings.ring, "must be a power of two from 2 to 16777216")
        }
        if let count = settings.count, count < 1 { throw fault("count", count, "must be at least 1") }
        guard settings.sample <= settings.interval else {
            throw OptionError("\(withValue("sample")) is longer than \(withValue("interval"))")
        }
    }

    private func checkThresholds() throws(OptionError) {
        guard settings.rules.warn > 0 else { throw fault("warn", "0%", "must be above 0") }
        guard settings.rules.warn <= settings.rules.crit else {
            throw OptionError("\(withValue("warn")) is above \(withValue("crit"))")
        }
    }

    private func checkNames() throws(OptionError) {
        if let state = settings.state, state.hasSuffix("/") { throw fault("state", "'\(state)'", "is no file name") }
        if settings.incidentsKept < 1 { throw fault("incident-keep", settings.incidentsKept, "must be at least 1") }
        if let html = settings.html, settings.incident == nil {
            throw fault("html", html, "is for --incident FILE, which is missing")
        }
        if let textfile = settings.textfile, !textfile.hasSuffix(".prom") {
            throw fault("textfile", textfile, "the name must end in .prom, or no collector reads it")
        }
    }

    /// A filter that nothing can match is a slip of whoever wrote it: silence would be taken for an answer.
    private func checkFilter() throws(OptionError) {
        if settings.filter.hasAnyNAT, settings.filter.hasSourceNAT || settings.filter.hasDestinationNAT {
            throw OptionError("--any-nat: with --src-nat or --dst-nat it asks for nothing more; write one of them")
        }
        guard let (options, reason) = settings.filter.contradiction else { return }
        throw OptionError("\(options.map(withValue).joined(separator: " with ")): \(reason)")
    }

    private func checkStream() throws(OptionError) {
        if settings.source == .none { throw fault("source", "none", "events come by bpf or netlink") }
        if settings.stream.options != nil, settings.stream.format != .conntrack {
            throw OptionError("\(withValue("output")): is about lines of conntrack's, not about \(withValue("format"))")
        }
    }

    private func fault(_ name: String, _ value: some CustomStringConvertible, _ why: String) -> OptionError {
        OptionError("\(said(name)) \(value): \(why)")
    }

    private func withValue(_ name: String) -> String {
        let text = effective.first { $0.name == name }?.text
        return text.map { "\(said(name)) \($0)" } ?? said(name)
    }
}
