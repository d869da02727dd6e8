// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackPublish

/// What a command that looks once says, from its options.
package struct Answer: Equatable, Sendable {
    /// What --version says.
    package static var version: String { conntrackMonVersion }

    /// For stdout, without the newline at its end.
    package var text: String
    /// What the command ends with.
    package var exitCode: Int32 = 0
}

extension PageStyle {
    /// For stdout.
    init(_ settings: Settings) {
        self.init(width: Probe.terminalWidth, hasColour: Probe.mayColour, isWhole: settings.isWhole)
    }
}

extension Answer {
    /// `check`: the line and the exit code of a Nagios plugin. What cannot be judged is UNKNOWN, with the reason.
    package static func check(_ values: OptionValues) -> Answer {
        let result: CheckResult
        do {
            result = try judged(values, values.prepared())
        } catch {
            result = CheckResult(state: .unknown, text: "\(error)", performance: "")
        }
        return Answer(text: result.line, exitCode: result.state.rawValue)
    }

    private static func judged(_ values: OptionValues, _ settings: Settings) -> CheckResult {
        let shot = OneShot(settings)
        var rules = shot.rules(values, settings)
        rules.absent = settings.checkAbsent
        return ConntrackMon.check(shot.look, shot.word, procfs: settings.procfs, rules: rules)
    }

    /// `status`: what a running `watch` says, with what this look sees; without it, the look alone.
    package static func status(_ values: OptionValues) throws -> Answer {
        if let path = try values.checked().incident { return try incident(path, values.checked()) }
        let settings = try values.prepared()
        let shot = OneShot(settings)
        var rules = shot.rules(values, settings)
        let origin = shot.origin()
        let report = shot.report(settings, host: Probe.hostName, wanted: rules.wantedLimit(shot.word), origin)
        rules.surroundings = origin.map { origin in
            LookRules.Surroundings(
                origin: origin, buckets: report.sample.buckets, isInitialNamespace: report.identity.isInitialNamespace)
        }
        let document = StatusDocument(judging: report, shot.word, rules: rules)
        return Answer(text: settings.json ? document.json() : document.text(PageStyle(settings)))
    }

    /// `status --incident`: what a flight recorder left; needs nothing of this host.
    private static func incident(_ path: String, _ settings: Settings) throws -> Answer {
        let document = try IncidentFile.read(path)
        if let page = settings.html { try IncidentFile.write(document.html(), to: page) }
        return Answer(text: settings.json ? document.json() : document.text(PageStyle(settings)))
    }

    /// `top`: the largest groups of one dump.
    package static func top(_ values: OptionValues) throws -> Answer {
        let settings = try values.prepared()
        let top = settings.top
        let grouping = TopGrouping(top.by, prefix4: top.prefix4, prefix6: top.prefix6)
        let report = try Top.report(
            settings, host: Probe.hostName, grouping: grouping, limit: top.limit, mayLoad: top.loadModules,
            filterText: values.filterText)
        return Answer(text: settings.json ? report.json() : report.text())
    }

    /// `doctor`, where `values` say. What cannot be examined is wrong use: exit code 1 means warnings here.
    package static func doctor(_ values: OptionValues) throws(OptionError) -> Answer {
        let paths = try values.doctorPaths()
        if let netns = values.settings.netns {
            do throws(SystemError) {
                try NetworkNamespace.enter(netns)
            } catch {
                throw OptionError("\(error)")
            }
        }
        if let mismatch = NetworkNamespace.mismatch(procfs: paths.procfs) { throw OptionError(mismatch) }
        let report = Doctor.examine(
            HostPaths(procfs: paths.procfs, sysfs: paths.sysfs, root: paths.root),
            size: values.settings.size.map { UInt64($0) })
        return Answer(text: values.settings.json ? report.json() : report.text(), exitCode: report.exitCode)
    }
}
