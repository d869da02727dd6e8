// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// Which entries are wanted, by conntrack's names and letters; and how `events` writes them.

extension OptionTable {
    /// Which entries `events` and `top` are about.
    package static let filters = OptionSection(
        "Filters",
        [
            OptionRow(
                "family", filtered, at: \.filter.family, ifGiven: .addressFamily, "Only ipv4 or ipv6.", letter: "f"),
            OptionRow(
                "proto", filtered, at: \.filter.protocols, ifGiven: .protocols,
                "Only this protocol, or several: names or numbers, separated by commas.", letter: "p"),
            OptionRow(
                "orig-src", filtered, at: \.filter.source, ifGiven: .addressPrefix,
                "Only from this address or prefix.", letter: "s", aliases: ["src"]),
            OptionRow(
                "orig-dst", filtered, at: \.filter.destination, ifGiven: .addressPrefix,
                "Only to this address or prefix, before any translation.", letter: "d", aliases: ["dst"]),
            OptionRow(
                "reply-src", filtered, at: \.filter.replySource, ifGiven: .addressPrefix,
                "Only with replies from this address or prefix.", letter: "r"),
            OptionRow(
                "reply-dst", filtered, at: \.filter.replyDestination, ifGiven: .addressPrefix,
                "Only with replies to this address or prefix.", letter: "q"),
            OptionRow(
                "sport", filtered, at: \.filter.sourcePort, ifGiven: .port, "Only from this port.",
                aliases: ["orig-port-src"]),
            OptionRow(
                "dport", filtered, at: \.filter.destinationPort, ifGiven: .port, "Only to this port.",
                aliases: ["orig-port-dst"]),
            OptionRow(
                "reply-port-src", filtered, at: \.filter.replySourcePort, ifGiven: .port,
                "Only with replies from this port."),
            OptionRow(
                "reply-port-dst", filtered, at: \.filter.replyDestinationPort, ifGiven: .port,
                "Only with replies to this port."),
            OptionRow(
                "state", filtered, at: \.filter.state, ifGiven: .tcpState,
                "Only in this state of TCP, with --proto tcp."),
            OptionRow(
                "status", filtered, at: \.filter.status, ifGiven: .statusMask,
                "Only with all of these: ASSURED, SEEN_REPLY, OFFLOAD ...; UNREPLIED or !ASSURED for those without.",
                letter: "u"),
            OptionRow(
                "zone", filtered, at: \.filter.zone, ifGiven: .zone, "Only in this zone of the original direction.",
                letter: "w"),
            OptionRow(
                "mark", filtered, at: \.filter.mark, ifGiven: .mark, "Only with this mark, or these bits of it.",
                letter: "m"),
            OptionRow(
                "src-nat", filtered, at: \.filter.hasSourceNAT, .onOff, "Only with a translated source.", letter: "n",
                letterless: [.top]),
            OptionRow(
                "dst-nat", filtered, at: \.filter.hasDestinationNAT, .onOff, "Only with a translated destination.",
                letter: "g"),
            OptionRow(
                "any-nat", filtered, at: \.filter.hasAnyNAT, .onOff, "Only with either translated.", letter: "j"),
        ])

    /// What `events` alone takes.
    package static let stream = OptionSection(
        "Stream",
        [
            OptionRow(
                "events", [.events], at: \.stream.groups, ifGiven: .eventMask,
                "Which events: any of NEW,UPDATES,DESTROY, or ALL.", letter: "e", aliases: ["event-mask"],
                otherwise: "ALL"),
            OptionRow(
                "output", [.events], at: \.stream.options, ifGiven: .lineOptions,
                "What a line of conntrack's has besides: any of id,extended,timestamp,ktimestamp,labels.", letter: "o"),
            OptionRow(
                "format", [.events], at: \.stream.format, .choice("format", isListed: true),
                "How an event is written: as conntrack -E does, as a JSON object, or as a row for a person."),
        ])

    private static let filtered: Set<CommandName> = [.events, .top]
}
