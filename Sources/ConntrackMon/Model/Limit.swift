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

/// Something LimitWatch or ParameterWatch has to say that has no end.
struct Notice: Equatable {
    var name: NoticeName
    var summary: String
    var incident: String?
    var values: [String: Double] = [:]
}

/// Whether `limit` is lower than `other`; 0 = unlimited is lower than nothing.
func isLess(_ limit: UInt64, _ other: UInt64) -> Bool {
    limit != other && limit != 0 && (other == 0 || limit < other)
}

/// How often the module was reloaded, and whether that is exact.
struct ReloadCount: Equatable, Sendable {
    var total: UInt64 = 0
    /// False where uevents do not arrive: then each proof may stand for several.
    var isExact = true

    var caveat: String { isExact ? "" : "; seen without uevents, so there may have been more" }
}
