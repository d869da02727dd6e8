// SPDX-License-Identifier: GPL-3.0-or-later

// The words for a limit: what it should be, why it fell, how two compare.

/// Why the limit fell; the label of conntrack_limit_drops_total.
public enum DropCause: String, CaseIterable, Sendable {
    case moduleReload = "module_reload"
    case sysctlWrite = "sysctl_write"
    case reboot
    case whileDown = "while_down"
    case unknown
}

/// Where the baseline comes from; the label of conntrack_entries_limit_baseline_info.
public enum BaselineSource: String, Sendable {
    case flag, configuration, accepted, state
}

/// What sysctl configuration says the limit should be, and where.
public struct ConfiguredLimit: Equatable, Sendable {
    /// The value; 0 = unlimited.
    public var limit: UInt64
    /// "/etc/sysctl.d/90-conntrack.conf:3".
    public var place: String

    /// A value and where it stands.
    public init(limit: UInt64, place: String) {
        self.limit = limit
        self.place = place
    }
}

/// What sysctl configuration says a setting should be, and where.
public struct ConfiguredParameter: Equatable, Sendable {
    /// The value.
    public var value: UInt64
    /// "/etc/sysctl.d/90-conntrack.conf:3".
    public var place: String

    /// A value and where it stands.
    public init(value: UInt64, place: String) {
        self.value = value
        self.place = place
    }
}

/// Whether `limit` is lower than `other`; 0 = unlimited is lower than nothing.
package func isLess(_ limit: UInt64, _ other: UInt64) -> Bool {
    limit != other && limit != 0 && (other == 0 || limit < other)
}
