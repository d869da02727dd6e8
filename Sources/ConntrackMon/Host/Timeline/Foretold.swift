// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// One setting at the end of a scenario.
struct Foretold: Equatable, Sendable {
    /// Who set it.
    struct Author: Equatable, Sendable {
        /// "this kernel's default", "systemd-sysctl", "kube-proxy".
        var name: String
        var evidence: Evidence?
        /// The writer, unless it is the kernel.
        var writer: Int?

        /// "systemd-sysctl (/etc/sysctl.d/90-conntrack.conf:1)".
        var text: String {
            evidence.map { "\(name) (\($0.file)\($0.line.map { ":\($0)" } ?? ""))" } ?? name
        }
    }

    /// All that it may be, the least first; none where it can't be known.
    private(set) var values: [UInt64]
    /// Who set it last, and before him those whose value it has if he did not.
    private(set) var authors: [Author]

    /// 0 is no limit, which is more than any.
    private let isLimit: Bool

    init(_ name: String, _ values: [UInt64], by author: Author) {
        isLimit = name == "nf_conntrack_max"
        self.values = []
        authors = [author]
        set(values)
    }

    /// The one value that it has for sure.
    var value: UInt64? { values.count == 1 ? values[0] : nil }
    /// The least of what it may be.
    var least: UInt64? { values.first }
    /// The most, where it is not the same.
    var most: UInt64? { values.count > 1 ? values.last : nil }
    /// Whether it has this value, as far as is known.
    func may(be value: UInt64) -> Bool { values.isEmpty || values.contains(value) }

    /// "the udev rule (/etc/udev/rules.d/50.rules:1)"; of several one that may and those that else.
    var by: String { authors.reversed().map(\.text).joined(separator: " or ") }

    /// More possible values than these are none that can be told.
    private static let valueLimit = 8

    /// What a writer does to it.
    mutating func apply(_ change: Write.Change, by author: Author, isCertain: Bool) {
        guard isCertain else {
            var other = self
            other.apply(change, by: author, isCertain: true)
            if other != self { join(other) }
            return
        }
        switch change {
        case .set(let number): (values, authors) = ([number], [author])
        case .unknown: (values, authors) = ([], [author])
        case .raise(let number):
            guard values.isEmpty || values.contains(where: { $0 < number }) else { return }
            let isSure = !values.isEmpty && values.allSatisfy { $0 < number }
            set(values.map { max($0, number) })
            authors = isSure ? [author] : authors + [author]
        }
    }

    /// It is this or that.
    mutating func join(_ other: Foretold) {
        if values.isEmpty || other.values.isEmpty { values = [] } else { set(values + other.values) }
        authors += other.authors.filter { !authors.contains($0) }
    }

    private mutating func set(_ numbers: [UInt64]) {
        let sorted = Set(numbers).sorted(by: isLimit ? isLess : (<))
        values = sorted.count <= Foretold.valueLimit ? sorted : [sorted[0], sorted[sorted.count - 1]]
    }
}
