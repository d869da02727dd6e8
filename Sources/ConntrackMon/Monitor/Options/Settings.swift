// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackEngine
public import ConntrackModel
public import ConntrackPublish

/// What stdout of `watch` is to get.
public enum FormatChoice: String, CaseIterable, Sendable {
    /// What suits stdout: the view on a terminal, else lines.
    case auto
    /// A view for a person at a terminal.
    case live
    /// A line of key=value pairs an interval.
    case lines
    /// One JSON object an interval.
    case json
    /// Nothing.
    case none
}

/// What `top` is told, with its defaults.
public struct TopSettings: Sendable {
    /// What to group entries by.
    public var by: [TopField] = [.source]
    /// How many leading bits of an IPv4 address count, 0 to 32.
    public var prefix4 = 32
    /// How many leading bits of an IPv6 address count, 0 to 128.
    public var prefix6 = 128
    /// How many groups to show; 0 = all.
    public var limit = 20
    /// Leave to load nf_conntrack_netlink for the dump.
    public var loadModules = false

    /// The defaults.
    public init() {}
}

/// What `events` is told, with its defaults.
public struct StreamSettings: Sendable {
    /// Which events; nil = all.
    public var groups: EventGroups?
    /// How they are written.
    public var format = EventFormat.conntrack
    /// What a line of conntrack's has besides.
    public var options: LineOptions?

    /// The defaults.
    public init() {}
}

/// Everything the commands are told. The defaults are written here (and in RuleSettings, LookRules), nowhere else:
/// help and documents take them from here by `OptionTable`.
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

    /// What stdout is to get.
    public var formatChoice = FormatChoice.auto
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
    /// The folder for status.json; nil = none. Not given, it is /run/conntrack-mon where that folder exists.
    public var runDirectory: String?
    /// Somebody named it; else it is the usual one.
    public var isRunDirectoryGiven = true
    /// What is kept across restarts.
    public var state: String?
    /// Prefix for /etc, /run, /usr/lib look-ups; "" is this host's.
    public var root = ""
    /// The program run on alerts and notices.
    public var hook: String?

    /// The folder for what led to critical alerts; nil = no flight recorder.
    public var incidentFolder: String?
    /// How far back it goes.
    public var incidentWindow = Duration.seconds(300)
    /// How many files are kept.
    public var incidentsKept = 20

    /// What a host without nf_conntrack is to `check`.
    public var checkAbsent = LookRules().absent
    /// One JSON object, from the commands that look once.
    public var json = false
    /// `status` shows all that it knows.
    public var isWhole = false
    /// The incident that `status` shows; nil = this host as it is now.
    public var incident: String?
    /// The file for a page of it.
    public var html: String?
    /// How many entries `doctor` says the memory of.
    public var size: Int?
    /// What `top` is told.
    public var top = TopSettings()
    /// Which entries `top` and `events` are about.
    public var filter = EntryFilter()
    /// What `events` is told.
    public var stream = StreamSettings()

    /// The defaults.
    public init() {}

    /// What stdout gets.
    public var format: StatusFormat {
        switch formatChoice {
        case .auto, .lines: .lines
        case .json: .json
        case .live, .none: .none
        }
    }
}
