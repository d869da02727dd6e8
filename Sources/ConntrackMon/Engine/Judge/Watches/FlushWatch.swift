// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Over half of the table, and over 1,000 entries, went within a second without a reload: a program deleted them, or the
/// kernel forgot connections that were open. Entries that expire together, however many, are neither.
struct FlushWatch: Sendable {
    func notice(_ departure: MassDeparture) -> Notice {
        departure.isForgotten ? forgotten(departure) : flushed(departure)
    }

    private func flushed(_ departure: MassDeparture) -> Notice {
        let programs = "(conntrack -F or -D do that, and so do conntrackd, kube-proxy and Docker)"
        let (heard, deleted) = (departure.departures.heard, departure.departures.deleted)
        let what =
            if departure.isDeleted {
                "\(departure.gone) of \(departure.before) entries were deleted by a program \(words(departure.span))"
                    + " \(programs)"
            } else {
                "\(departure.gone) of \(departure.before) entries went \(words(departure.span)); of the \(heard) whose"
                    + " end was heard a program deleted \(deleted) \(programs)"
            }
        return Notice(
            .tableFlushed, Explanation(what, why: ["established connections may hang"]),
            values: values(departure, "deleted", Double(deleted)))
    }

    private func forgotten(_ departure: MassDeparture) -> Notice {
        Notice(
            .connectionsForgotten,
            Explanation(
                "\(departure.gone) established connections of \(departure.before) entries were dropped from the table"
                    + " \(words(departure.span)), before their time and by no program",
                why: [
                    "masquerade drops its connections when their address or link goes, and IPVS those of a server that"
                        + " it gives up",
                    "connections that were to go on may hang",
                ]),
            values: values(departure, "forgotten", Double(departure.departures.forgotten)))
    }

    private func values(_ departure: MassDeparture, _ name: String, _ count: Double) -> [String: Double] {
        ["entries_before": Double(departure.before), "entries": Double(departure.left), name: count]
    }

    private func words(_ span: Duration) -> String {
        span <= .seconds(1.2) ? "within a second" : "within \(readable(seconds: span.inSeconds))"
    }
}
