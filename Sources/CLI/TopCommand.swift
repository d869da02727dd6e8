// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Who fills the table now: the largest groups of entries, exact, from one dump.",
        discussion: """
            Keys: \(TopField.allCases.map(\.rawValue).joined(separator: ", ")). Several, separated by commas, group by \
            their combination. A dump takes the kernel about 2 µs an entry and needs CAP_NET_ADMIN.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What to group entries by. (default: source)", valueName: "keys"),
        transform: parseFields)
    var by: [TopField] = [.source]

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many leading bits of an IPv4 address count. (default: 32)", valueName: "bits"),
        transform: { try parsePrefix($0, whole: 32) })
    var prefix4 = 32

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many leading bits of an IPv6 address count. (default: 128)", valueName: "bits"),
        transform: { try parsePrefix($0, whole: 128) })
    var prefix6 = 128

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: ArgumentHelp("How many groups to show; 0 = all. (default: 20)", valueName: "count"),
        transform: parseRowLimit)
    var limit = 20

    @Flag(help: "One JSON object, for programs.")
    var json = false

    @Flag(help: "Allow the dump to load nf_conntrack_netlink.")
    var loadModules = false

    func run() throws {
        var settings = Settings()
        try global.apply(to: &settings)
        let grouping = TopGrouping(by, prefix4: prefix4, prefix6: prefix6)
        let report = try Top.report(
            settings, host: GlobalOptions.host, grouping: grouping, limit: limit, mayLoad: loadModules)
        print(json ? report.json() : report.text())
    }
}
