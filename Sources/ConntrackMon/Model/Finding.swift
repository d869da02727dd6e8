// SPDX-License-Identifier: GPL-3.0-or-later

/// How much a finding matters.
public enum FindingSeverity: String, Codable, Comparable, Sendable {
    case info, warning, critical

    /// By weight.
    public static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }

    private var weight: Int { self == .info ? 0 : self == .warning ? 1 : 2 }
}

/// One thing that `doctor` has to say.
public struct Finding: Codable, Equatable, Sendable {
    /// Its name, for programs: "boot_race".
    public var id: String
    /// How much it matters.
    public var severity: FindingSeverity
    /// How sure it is.
    public var certainty: Certainty
    /// What is the case.
    public var summary: String
    /// What shows it.
    public var evidence: [Evidence]
    /// What to do; "" for nothing.
    public var cure: String

    /// From its parts.
    package init(
        id: String, severity: FindingSeverity, certainty: Certainty = .certain, summary: String, evidence: [Evidence],
        cure: String
    ) {
        self.id = id
        self.severity = severity
        self.certainty = certainty
        self.summary = summary
        self.evidence = evidence
        self.cure = cure
    }
}

/// What `doctor` found out about a host.
public struct DoctorReport: Codable, Equatable, Sendable {
    /// Would a firewall restart unload nf_conntrack? nil where it can't be known.
    public var reloadWouldUnload: Bool?
    /// What the answer rests on.
    public var why: [String]
    /// The limit this host would have after a firewall restart; nil where that can't be known.
    public var reloadLimit: UInt64?
    /// The limit this host has.
    public var limit: UInt64?
    /// How nf_conntrack is there: "built-in", "loaded", "absent"; nil where that can't be known.
    public var module: ConntrackModule?
    /// Where the limit comes from, if it is a number that is known.
    public var limitOrigin: String?
    /// The limit, the buckets, each timeout, and what else is configured.
    public var settings: [OutlookRow]
    /// Worst first.
    public var findings: [Finding]
    /// What a table of as many entries as were asked for would take; nil when none were.
    public var size: TableSize?
    /// true where no configuration was there to read: what a reload or a reboot leaves is not known then.
    public var noConfiguration: Bool?

    /// From its parts.
    package init(
        reloadWouldUnload: Bool? = nil, why: [String], reloadLimit: UInt64? = nil, limit: UInt64? = nil,
        module: ConntrackModule? = nil, limitOrigin: String? = nil, settings: [OutlookRow], findings: [Finding],
        noConfiguration: Bool? = nil
    ) {
        self.reloadWouldUnload = reloadWouldUnload
        self.why = why
        self.reloadLimit = reloadLimit
        self.limit = limit
        self.module = module
        self.limitOrigin = limitOrigin
        self.settings = settings
        self.findings = findings
        self.noConfiguration = noConfiguration
    }

    /// 0 nothing found, or nothing that matters; 1 warnings; 2 critical; 3 no configuration was there to read.
    public var exitCode: Int32 {
        if noConfiguration == true { return 3 }
        return switch findings.map(\.severity).max() {
        case .critical: 2
        case .warning: 1
        case .info, nil: 0
        }
    }
}

/// One setting now and later. What can't be known, or does not apply, is nil.
public struct OutlookRow: Codable, Equatable, Sendable {
    /// "nf_conntrack_max".
    public var name: String
    /// Live.
    public var now: UInt64?
    /// If the module were unloaded and loaded by a restart of the firewall; the least of what it may be then.
    public var afterReload: UInt64?
    /// The most that it may be then, where somebody only may change it.
    public var afterReloadMost: UInt64?
    /// Who sets it last then: "the udev rule (/etc/udev/rules.d/50-conntrack.rules:1)".
    public var afterReloadBy: String?
    /// What the host's files ask for.
    public var configured: UInt64?
    /// What is left after the next boot; the least of what it may be.
    public var afterReboot: UInt64?
    /// The most that it may be then, where somebody only may change it.
    public var afterRebootMost: UInt64?
    /// Who sets it last then.
    public var afterRebootBy: String?

    /// From its parts.
    package init(
        name: String, now: UInt64? = nil, afterReload: UInt64? = nil, configured: UInt64? = nil,
        afterReboot: UInt64? = nil
    ) {
        self.name = name
        self.now = now
        self.afterReload = afterReload
        self.configured = configured
        self.afterReboot = afterReboot
    }

    /// Whether now and later are not all the same.
    package var changes: Bool {
        let values = [now, afterReload, afterReloadMost, configured, afterReboot, afterRebootMost].compactMap { $0 }
        return Set(values).count > 1
    }
}
