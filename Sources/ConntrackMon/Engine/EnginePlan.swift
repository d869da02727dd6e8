// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What an engine is told before it begins.
package struct EnginePlan: Sendable {
    /// Whose host and namespace.
    package var identity: Identity
    /// Thresholds and holds.
    package var rules: RuleSettings
    /// How often the table is looked at.
    package var sample: Duration
    /// How long an interval is.
    package var interval: Duration
    /// Stop after this long.
    package var duration: Duration?
    /// Stop after this many intervals.
    package var count: Int?
    /// How often the textfile is due.
    package var textfileInterval: Duration
    /// Configuration and programs of the host are there to be read.
    package var hasConfiguration: Bool
    /// Its table can be dumped: it is this kernel's.
    package var hasDumps: Bool
    /// What listening for events may cost.
    package var limits = EventBudget.Limits()
    /// Which events are listened to.
    package var groups: EventGroups = [.new, .destroy]
    /// How events are to be read.
    package var source = SourceChoice.auto
    /// The running kernel's release.
    package var kernel = ""
    /// /proc shows statistics, or may when there is a table.
    package var hasStatisticsFile = true
    /// Statistics with a cpu label instead of sums.
    package var perCPU = false
    /// A netns label on every metric.
    package var netnsLabel: String?
    /// Which /proc is read.
    package var procfs = "/proc"
    /// The name or path that the network namespace was entered by.
    package var netns: String?
    /// The inode of the network namespace.
    package var netnsInode: UInt64?
    /// The flight recorder's; nil = there is none.
    package var incidents: IncidentTerms?
    /// Which boot this is; nil where /proc does not say.
    package var bootId: String?

    /// Sampling that stands still for longer is a gap.
    var longestPause: Duration { max(.seconds(5), sample * 2) }

    /// A plan with everything a monitor's engine needs.
    package init(
        identity: Identity, rules: RuleSettings = RuleSettings(), sample: Duration = .milliseconds(100),
        interval: Duration = .seconds(1), duration: Duration? = nil, count: Int? = nil,
        textfileInterval: Duration = .seconds(15), hasConfiguration: Bool = false, hasDumps: Bool = false
    ) {
        self.identity = identity
        self.rules = rules
        self.sample = sample
        self.interval = interval
        self.duration = duration
        self.count = count
        self.textfileInterval = textfileInterval
        self.hasConfiguration = hasConfiguration
        self.hasDumps = hasDumps
    }
}
