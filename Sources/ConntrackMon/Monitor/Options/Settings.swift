// SPDX-License-Identifier: GPL-3.0-or-later

/// Everything `watch` is told, with its defaults.
public struct Settings: Sendable {
    /// Where /proc is.
    public var procfs = "/proc"
    /// Where /sys is.
    public var sysfs = "/sys"
    /// The name under which the network namespace was entered.
    public var netns: String?

    /// How often count and limit are sampled.
    public var sample = Duration.milliseconds(100)
    /// How often a sample is judged and shown.
    public var interval = Duration.seconds(1)
    /// Stop after this long.
    public var duration: Duration?
    /// Stop after this many intervals.
    public var count: Int?

    /// Which events to listen to; empty = none.
    public var events: EventGroups = [.new, .destroy]
    /// How to read them.
    public var source = SourceChoice.auto
    /// Leave to load nf_conntrack_netlink for them.
    public var loadModules = false
    /// What listening may cost this host, a share of one core; 1 = no bound.
    public var eventBudget = 1.0
    /// What whoever makes an entry pays for one message.
    public var eventCost = Duration.nanoseconds(2500)
    /// Bytes of receive buffer to ask for; the kernel accounts twice that, and uses it only while events wait. A BPF ring
    /// gets half as many, for good.
    public var receiveBuffer: UInt32 = 16 << 20
    /// Ring slots.
    public var ring = 65536

    /// Thresholds and holds.
    public var rules = RuleSettings()

    /// What stdout gets.
    public var format = StatusFormat.lines
    /// How stderr is worded.
    public var alertFormat = AlertFormat.text
    /// stderr is the journal.
    public var journal = false
    /// The Prometheus textfile.
    public var textfile: String?
    /// How often it is written.
    public var textfileInterval = Duration.seconds(15)
    /// Statistics with a cpu label.
    public var perCPU = false
    /// The folder for status.json; nil = none.
    public var runDirectory: String?
    /// What is kept across restarts.
    public var state: String?
    /// Prefix for /etc, /run, /usr/lib look-ups; "" is this host's.
    public var root = ""
    /// The program run on alerts and notices.
    public var hook: String?

    /// The defaults.
    public init() {}
}
