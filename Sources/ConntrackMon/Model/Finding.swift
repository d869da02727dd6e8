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
    /// What is the case.
    public var summary: String
    /// What shows it.
    public var evidence: [Evidence]
    /// What to do; "" for nothing.
    public var cure: String
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

    /// 0 nothing found, or nothing that matters; 1 warnings; 2 critical.
    public var exitCode: Int32 {
        switch findings.map(\.severity).max() {
        case .critical: 2
        case .warning: 1
        case .info, nil: 0
        }
    }
}

/// Reads a host, or a saved one, and says what a firewall restart or a reboot would do to its limit. Changes nothing.
public enum Doctor {
    /// - Parameters:
    ///   - root: Prefix for /etc, /run, /usr/lib; "/" for this host.
    ///   - procfs: Where /proc is, or a saved copy.
    ///   - sysfs: Where /sys is, or a saved copy.
    public static func examine(root: String, procfs: String, sysfs: String) -> DoctorReport {
        judge(DoctorFacts(root: root, procfs: procfs, sysfs: sysfs))
    }

    /// Pure.
    static func judge(_ facts: DoctorFacts) -> DoctorReport {
        let verdict = UnloadVerdict(facts)
        let outlook = Outlook(facts)
        let origin = facts.limit.flatMap {
            KernelDefaults.recognise(
                limit: $0, buckets: facts.buckets, memory: facts.memory, release: facts.release, cores: facts.cores,
                hashsize: facts.loadHashsize)
        }
        var examination = Examination(facts: facts, verdict: verdict, outlook: outlook, limitOrigin: origin)
        let reloaded: UInt64? =
            switch verdict.wouldUnload {
            case true?: outlook.limit?.afterReload
            case false?: facts.limit
            case nil: nil
            }
        return DoctorReport(
            reloadWouldUnload: verdict.wouldUnload, why: verdict.why, reloadLimit: reloaded, limit: facts.limit,
            module: facts.modules.conntrack, limitOrigin: origin, settings: outlook.rows,
            findings: examination.findings())
    }
}
