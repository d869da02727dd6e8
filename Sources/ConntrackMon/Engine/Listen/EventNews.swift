// SPDX-License-Identifier: GPL-3.0-or-later

/// What is to be said of the events when their status changes, and what of it is a fault.
struct EventNews {
    private static let remains = "table samples, statistics and alerts go on"

    /// The last status that was taken.
    private(set) var status = EventStatus.off

    /// How events are read; nil when they are not.
    var method: EventMethod? {
        if case .listening(let method) = status { method } else { nil }
    }

    /// Takes the present status; a line for the monitor's own log when it is a new one.
    mutating func take(_ status: EventStatus) -> String? {
        guard status != self.status else { return nil }
        self.status = status
        switch status {
        case .off, .unavailable(_, expected: false): return nil
        case .listening(.bpf(let bytes)): return "events by bpf, through a ring in the kernel of \(bytes) bytes"
        case .listening(.netlink(let bytes, let notBPF)):
            let instead = notBPF.map { "; not by bpf: \($0)" } ?? ""
            return "events by netlink, read in batches (receive buffer \(bytes) bytes)\(instead)"
        case .unavailable(let reason, expected: true): return "no events: \(reason); \(EventNews.remains)"
        case .failed(let error): return "events ended: \(error)"
        }
    }

    /// Events that were asked for by name, or worked before, and are not to be had.
    var degradation: Degradation? {
        switch status {
        case .unavailable(let reason, expected: false):
            Degradation(part: "events", reason: reason, remains: EventNews.remains)
        case .failed(let error):
            Degradation(part: "events", reason: "\(error)", remains: EventNews.remains)
        case .off, .listening, .unavailable:
            nil
        }
    }
}
