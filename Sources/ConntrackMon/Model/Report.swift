// SPDX-License-Identifier: GPL-3.0-or-later

/// All that is published about one interval: the sample, what was judged of it, and who speaks.
/// Lines, JSON and metrics are pure functions of it.
public struct Report: Sendable {
    /// Whose host and namespace.
    public var identity: Identity
    /// What was seen.
    public var sample: Sample
    /// What fires, worst first.
    public var firing: [FiringAlert] = []
    /// How often the module was reloaded.
    public var reloads: UInt64 = 0
    /// How often the limit fell, by cause.
    public var drops: [DropCause: UInt64] = [:]
    /// The limit this host should have.
    public var baseline: (limit: UInt64, source: BaselineSource)?
    /// How nf_conntrack is there.
    public var module = ConntrackModule.absent
    /// Every nf_conntrack_* setting.
    public var parameters: [(name: String, value: UInt64)] = []
    /// What the doctor found; nil until it has looked.
    public var doctor: DoctorReport?
    /// Where events come from: bpf, netlink or none.
    public var source = "none"
    /// Why there are none, though somebody might expect them.
    public var eventsReason: String?
    /// How long an interval is.
    public var interval = Duration.seconds(1)
    /// Statistics with a cpu label instead of sums.
    public var perCPU = false
    /// A netns label on every metric.
    public var netnsLabel: String?
    /// False in what a stopped monitor leaves behind.
    public var isUp = true
    /// Which /proc was read.
    public var procfs = "/proc"
    /// The inode of the network namespace.
    public var netnsInode: UInt64?
    /// Which boot this is; nil where /proc does not say.
    public var bootId: String?
    /// Usage that warns, and usage that is critical; nil where nobody judges by them.
    public var thresholds: (warn: Double, crit: Double)?

    /// What each output could not take since the monitor began, by its `SinkName`; one that is not named lost nothing.
    public var sinkLost: [(sink: String, lost: UInt64)] = []

    /// A report of `sample` with nothing judged.
    public init(identity: Identity, sample: Sample) {
        self.identity = identity
        self.sample = sample
    }

    /// conntrack_module_loaded.
    public var isModuleLoaded: Bool { !sample.table.absent }

    /// The highest count of the last 2 minutes, `sample.table` included: that look may be later than the sample's peak.
    public var entriesPeak: UInt64? { including(sample.entriesPeak) }

    /// The highest count of the last 24 hours, likewise.
    public var entriesPeakDay: UInt64? { including(sample.entriesPeakDay) }

    private func including(_ peak: UInt64?) -> UInt64? {
        peak.map { max($0, sample.table.entries ?? 0) }
    }

    /// What one output lost.
    public func lost(by sink: SinkName) -> UInt64 {
        sinkLost.first { $0.sink == sink.rawValue }?.lost ?? 0
    }
}

/// The outputs that can fall behind; the label of conntrack_mon_sink_lost_total.
public enum SinkName: String, CaseIterable, Sendable {
    /// stdout and stderr.
    case lines
    /// Textfile, status.json, state.
    case files
    /// The program of --on-alert.
    case hook
}
