// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What options add up to, and what is said of those that do not.
@Suite struct OptionValuesTests {
    private static func values(
        _ command: CommandName = .watch, _ given: (String, String, Origin)...
    ) throws -> OptionValues {
        var values = OptionValues(command)
        for (name, text, origin) in given { try values.take(name, text, from: origin) }
        return values
    }

    private static let file = Origin.file("/etc/conntrack-mon.toml:3")

    @Test func `nothing given is the defaults, which hold together`() throws {
        for command in CommandName.allCases {
            let values = OptionValues(command)
            let settings = try values.checked()

            #expect(values.effective.map(\.name) == OptionTable.rows(of: command).map(\.name))
            #expect(values.effective.allSatisfy { $0.origin == .builtIn })
            #expect(settings.sample == .milliseconds(100))
            #expect(settings.format == .lines)
        }
    }

    @Test func `each value is told with where it came from`() throws {
        let values = try Self.values(
            .watch, ("warn", "60%", Self.file), ("crit", "80%", Self.file), ("state", "/var/lib/state", Self.file),
            ("warn", "65%", .environment("CONNTRACK_MON_WARN")), ("crit", "85%", .flag), ("per-cpu", "on", .flag))
        func effective(_ name: String) -> OptionValues.Effective? { values.effective.first { $0.name == name } }

        #expect(effective("warn") == .init(name: "warn", text: "65%", origin: .environment("CONNTRACK_MON_WARN")))
        #expect(effective("crit") == .init(name: "crit", text: "85%", origin: .flag))
        #expect(effective("state") == .init(name: "state", text: "/var/lib/state", origin: Self.file))
        #expect(effective("per-cpu") == .init(name: "per-cpu", text: "on", origin: .flag))
        #expect(effective("textfile") == .init(name: "textfile", text: nil, origin: .builtIn))
        #expect(effective("interval") == .init(name: "interval", text: "1s", origin: .builtIn))
        #expect(values.settings.rules.warn == 0.65)
    }

    @Test(arguments: [
        (Origin.builtIn, "default"), (.flag, "flag"), (.environment("CONNTRACK_MON_WARN"), "CONNTRACK_MON_WARN"),
        (file, "/etc/conntrack-mon.toml:3"),
    ])
    func `a place is worded for people`(_ origin: Origin, _ text: String) {
        #expect(origin.text == text)
    }

    @Test(arguments: [
        ("warn", "120%", Origin.flag, "--warn: '120%' is no share; write 75% or 0.75"),
        ("warn", "120%", file, "/etc/conntrack-mon.toml:3: warn: '120%' is no share; write 75% or 0.75"),
        (
            "warn", "x", .environment("CONNTRACK_MON_WARN"),
            "CONNTRACK_MON_WARN: 'x' is no share; write 75% or 0.75"
        ),
        ("wran", "75%", file, "/etc/conntrack-mon.toml:3: wran: there is no such option"),
        ("prefix4", "24", file, "/etc/conntrack-mon.toml:3: prefix4: there is no such option"),
    ])
    func `a bad value or name is told with its place, and changes nothing`(
        _ name: String, _ text: String, _ origin: Origin, _ said: String
    ) {
        var values = OptionValues(.watch)
        #expect(throws: OptionError(said)) { try values.take(name, text, from: origin) }
        #expect(values.effective == OptionValues(.watch).effective)
    }

    static let contradictions: [(given: [(String, String, Origin)], said: String)] = [
        ([("sample", "2s", .flag)], "--sample 2s is longer than --interval 1s"),
        ([("warn", "95%", .flag)], "--warn 95% is above --crit 90%"),
        (
            [("warn", "95%", file), ("crit", "80%", .environment("CONNTRACK_MON_CRIT"))],
            "/etc/conntrack-mon.toml:3: warn 95% is above CONNTRACK_MON_CRIT 80%"
        ),
        ([("warn", "0", .flag)], "--warn 0%: must be above 0"),
        ([("ring", "1000", .flag)], "--ring 1000: must be a power of two from 2 to 16777216"),
        ([("ring", "-2", file)], "/etc/conntrack-mon.toml:3: ring -2: must be a power of two from 2 to 16777216"),
        ([("count", "0", .flag)], "--count 0: must be at least 1"),
        ([("state", "/tmp/", .flag)], "--state '/tmp/': is no file name"),
        (
            [("textfile", "a.txt", .flag)],
            "--textfile a.txt: the name must end in .prom, or no collector reads it"
        ),
    ]

    @Test(arguments: contradictions)
    func `what does not hold together is told with names, values and places`(
        _ given: [(String, String, Origin)], _ said: String
    ) throws {
        var values = OptionValues(.watch)
        for (name, text, origin) in given { try values.take(name, text, from: origin) }

        #expect(throws: OptionError(said)) { try values.checked() }
    }

    @Test func `a clear margin as wide as the threshold is halved`() throws {
        let values = try Self.values(.watch, ("warn", "4%", .flag))

        #expect(try values.checked().rules.clearMargin == 0.02)
        #expect(values.effective.first { $0.name == "clear-margin" }?.text == "5%")
    }

    @Test func `doctor looks for proc and sys of a saved host beside its files`() throws {
        let root = "/proc/self"  // a folder that is always there
        let saved = try Self.values(.doctor, ("root", root + "/", .flag)).doctorPaths()
        let named = try Self.values(.doctor, ("root", root, .flag), ("procfs", "/", .flag)).doctorPaths()
        let own = try OptionValues(.doctor).doctorPaths()

        #expect(saved == (root, root + "/proc", root + "/sys"))
        #expect(named == (root, "", root + "/sys"))
        #expect(own == ("/", "/proc", "/sys"))
    }
}
