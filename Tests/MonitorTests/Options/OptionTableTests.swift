// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// The table that flags, help and README come from.
@Suite struct OptionTableTests {
    private static let rows: [OptionRow] = OptionTable.sections.flatMap { $0.rows }

    @Test(arguments: CommandName.allCases)
    func `no two options of a command have one name or letter`(_ command: CommandName) {
        let rows = OptionTable.rows(of: command)
        let letters = rows.compactMap { $0.letter(for: command) }
        let names = rows.flatMap { [$0.name] + $0.aliases }

        #expect(!rows.isEmpty)
        #expect(Set(names).count == names.count)
        #expect(Set(letters).count == letters.count)
    }

    @Test(arguments: CommandName.allCases)
    func `a command has every option that names it`(_ command: CommandName) {
        let named = OptionTable.sections.flatMap(\.rows).filter { $0.commands.contains(command) }

        #expect(OptionTable.rows(of: command).map(\.name) == named.map(\.name))
    }

    @Test func `no two options have one place`() {
        #expect(Set(Self.rows.map { $0.path as AnyKeyPath }).count == Self.rows.count)
    }

    @Test func `each option is of some command, and says what it is`() {
        for row in Self.rows {
            #expect(!row.commands.isEmpty, "\(row.name)")
            #expect(row.commands.allSatisfy { row.help(for: $0).contains(".") }, "\(row.name)")
        }
    }

    @Test func `the default reads back as the default`() throws {
        for row in Self.rows {
            guard let text = row.text(in: Settings()) else { continue }
            var settings = Settings()
            try row.read(text, into: &settings)
            #expect(settings[keyPath: row.path] as? AnyHashable == Settings()[keyPath: row.path] as? AnyHashable)
            #expect(row.text(in: settings) == text)
        }
    }

    @Test func `what is printed reads back as the same value`() throws {
        var random = SplitMix(state: 8)
        for row in Self.rows {
            let isTried = try [
                roundTrips(row) { Bool.random(using: &random) },
                roundTrips(row) { duration(of: row, &random) },
                roundTrips(row) { Optional(duration(of: row, &random)) },
                roundTrips(row) { share(&random) },
                roundTrips(row) { Int.random(in: 0...32, using: &random) },
                roundTrips(row) { Optional(Int.random(in: 0...Int(Int32.max), using: &random)) },
                roundTrips(row) { size(&random) },
                roundTrips(row) { limit(&random) },
                roundTrips(row) { path(&random) },
                roundTrips(row) { Optional(path(&random)) },
                roundTrips(row) { EventGroups(rawValue: UInt32.random(in: 0...7, using: &random)) },
                roundTrips(row) { fields(&random) },
                roundTrips(row) { Optional(EventGroups(rawValue: UInt32.random(in: 1...7, using: &random))) },
                roundTrips(row) { [AddressFamily.ipv4, .ipv6].randomElement(using: &random) },
                roundTrips(row) { Optional(protocols(&random)) },
                roundTrips(row) { prefix(&random) },
                roundTrips(row) { Optional(UInt16.random(in: 0...UInt16.max, using: &random)) },
                roundTrips(row) { Optional(TCPState(rawValue: UInt8.random(in: 0...9, using: &random))) },
                roundTrips(row) { Optional(statusMask(&random)) },
                roundTrips(row) { Optional(mark(&random)) },
                roundTrips(row) { EventFormat.allCases.randomElement(using: &random) ?? .json },
                roundTrips(row) { Optional(lineOptions(&random)) },
                roundTrips(row) { SourceChoice.allCases.randomElement(using: &random) ?? .auto },
                roundTrips(row) { FormatChoice.allCases.randomElement(using: &random) ?? .auto },
                roundTrips(row) { AlertFormat.allCases.randomElement(using: &random) ?? .text },
                roundTrips(row) { ([nil] + AbsentMeaning.allCases).randomElement(using: &random) ?? nil },
                roundTrips(row) { CheckResult.State(rawValue: .random(in: 0...3, using: &random)) ?? .ok },
            ].contains(true)
            #expect(isTried, "no values for \(row.name)")
        }
    }

    /// Whether the place of `row` holds such a value; then it is printed and read 300 times.
    private func roundTrips<Value: Equatable>(_ row: OptionRow, _ random: () -> Value) throws -> Bool {
        guard let path = row.path as? WritableKeyPath<Settings, Value> else { return false }
        for _ in 0..<300 {
            var (given, taken) = (Settings(), Settings())
            given[keyPath: path] = random()
            let text = try #require(row.text(in: given))
            try row.read(text, into: &taken)
            #expect(taken[keyPath: path] == given[keyPath: path], "\(row.name) \(text)")
        }
        return true
    }

    @Test func `a duration that a line has can be typed`() throws {
        let row = try #require(OptionTable.rows(of: .watch).first { $0.name == "adopt" })
        for seconds in [0.1, 59.9, 128.1, 599.9, 600, 750, 3599, 3600, 11_100, 86_399, 86_400, 187_200, 1e8] {
            var settings = Settings()
            try row.read(readable(seconds: seconds), into: &settings)
            // To the minute beyond an hour, to the hour beyond a day.
            let lost = seconds < 600 ? 0.1 : seconds < 3600 ? 1 : seconds < 86_400 ? 60 : 3600.0
            #expect(abs(settings.rules.adopt.inSeconds - seconds) < lost, "\(readable(seconds: seconds))")
        }
    }

    @Test func `what an option takes is named with what it does not`() throws {
        func refusal(_ name: String, _ text: String) throws -> String {
            let row = try #require(OptionTable.rows(of: .watch).first { $0.name == name })
            var settings = Settings()
            let error = #expect(throws: OptionError.self) { try row.read(text, into: &settings) }
            return error?.description ?? ""
        }

        #expect(try refusal("absent", "maybe") == "'maybe' is none of: auto, ok, warning, critical")
        #expect(try refusal("adopt", "soon") == "'soon' is no duration; write 250ms, 10s, 5m, 1h, 1d or 1h30m")
    }

    @Test(
        arguments: [
            ("sample", "1.5s", "1500ms"), ("sample", "0.25ms", nil), ("interval", "60000ms", "60s"),
            ("warn-hold", "0", "0s"), ("warn-hold", "0.25ms", "0.25ms"), ("adopt", "120m", "2h"),
            ("adopt", "90m", "90m"),
            ("adopt", "119s", "119s"), ("adopt", "1d", "24h"), ("adopt", "1d2h", "26h"), ("adopt", "1m30s", "90s"),
            ("adopt", "8m20s", "500s"), ("adopt", "3h05m", "185m"), ("adopt", "1h0m1.5s", "3601500ms"),
            ("adopt", "2s500ms", "2500ms"), ("adopt", "5m1h", nil), ("adopt", "1h1h", nil), ("adopt", "1.5h30m", nil),
            ("adopt", "1d2", nil), ("adopt", "d", nil), ("adopt", "1 h", nil), ("adopt", "-1h", nil),
            ("adopt", "1w", nil),
            ("adopt", "", nil), ("adopt", "99999999d", nil), ("absent", "auto", "auto"), ("absent", "maybe", nil),
            ("warn", "0.07629%", "0.07629%"), ("warn", ".07", "7%"), ("crit", "1", "100%"),
            ("event-cost", "1ms", "1000us"), ("event-cost", "500ns", "0.5us"), ("receive-buffer", "2048K", "2M"),
            ("receive-buffer", "1000", "1000"), ("receive-buffer", "1024", "1K"),
            ("events", "destroy,new", "new,destroy"),
            ("root", "/", "/"), ("root", "/srv/saved//", "/srv/saved"), ("root", "", nil), ("textfile", "", nil),
            ("per-cpu", "true", "on"), ("per-cpu", "false", "off"), ("per-cpu", "yes", nil),
        ] as [(String, String, String?)])
    func `a value is printed as people write it`(_ name: String, _ given: String, _ printed: String?) throws {
        let row = try #require(OptionTable.rows(of: .watch).first { $0.name == name })
        var settings = Settings()
        if let printed {
            try row.read(given, into: &settings)
            #expect(row.text(in: settings) == printed)
        } else {
            #expect(throws: OptionError.self) { try row.read(given, into: &settings) }
        }
    }
}

private func duration(of row: OptionRow, _ random: inout SplitMix) -> Duration {
    if row.placeholder == "time" { return .nanoseconds(Int64.random(in: 1...1_000_000, using: &random)) }
    return switch Int.random(in: 0...2, using: &random) {
    case 0: .nanoseconds(Int64.random(in: 1_000_000...1_000_000_000, using: &random))
    case 1: .milliseconds(Int64.random(in: 1...300_000_000_000, using: &random))
    default: .seconds(60 * Int64.random(in: 1...10_000, using: &random))
    }
}

private func share(_ random: inout SplitMix) -> Double {
    Bool.random(using: &random)
        ? Double(Int.random(in: 1...1_000_000, using: &random)) / 1e6 : Double.random(in: 0.001...1, using: &random)
}

private func size(_ random: inout SplitMix) -> UInt32 {
    let shift = [0, 10, 20].randomElement(using: &random) ?? 0
    return UInt32.random(in: 1...(1 << 30) >> shift, using: &random) << shift
}

private func limit(_ random: inout SplitMix) -> UInt64? {
    Bool.random(using: &random) ? nil : UInt64.random(in: 0...UInt64(Int32.max), using: &random)
}

private func path(_ random: inout SplitMix) -> String {
    let letters = (0..<Int.random(in: 1...20, using: &random)).compactMap { _ in
        "abc-._ =#\"'\\é/".randomElement(using: &random)
    }
    return "/" + String(letters) + "x"
}

private func fields(_ random: inout SplitMix) -> [TopField] {
    Array(TopField.allCases.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)))
}

private func protocols(_ random: inout SplitMix) -> [IPProtocol] {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in IPProtocol(rawValue: .random(in: 0...255, using: &random)) }
}

private func prefix(_ random: inout SplitMix) -> AddressPrefix? {
    let words = AddressWords(
        high: .random(in: 0 ... .max, using: &random), low: .random(in: 0 ... .max, using: &random))
    return Bool.random(using: &random)
        ? AddressPrefix(Address(.ipv6, words), length: .random(in: 0...128, using: &random))
        : AddressPrefix(
            Address(.ipv4, words & AddressWords.mask(prefix: 32)), length: .random(in: 0...32, using: &random))
}

private func statusMask(_ random: inout SplitMix) -> StatusMask {
    let set = UInt32.random(in: 0...0xffff, using: &random) | 4
    return StatusMask(
        set: EntryStatus(rawValue: set),
        clear: EntryStatus(rawValue: .random(in: 0...0xffff, using: &random) & ~set))
}

private func mark(_ random: inout SplitMix) -> MaskedMark {
    let value = UInt32.random(in: 0 ... .max, using: &random)
    return MaskedMark(value: value, mask: Bool.random(using: &random) ? .max : .random(in: 0 ... .max, using: &random))
}

private func lineOptions(_ random: inout SplitMix) -> LineOptions {
    let all: [LineOptions] = [.id, .extended, .timestamp, .ktimestamp, .labels]
    return LineOptions(all.filter { _ in Bool.random(using: &random) } + [.id])
}
