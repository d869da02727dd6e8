// SPDX-License-Identifier: GPL-3.0-or-later

/// A reading that the engine asks for, in its turn: what it must know before it goes on, or wants to know again.
package enum Want: Hashable, Sendable {
    /// Every nf_conntrack_* setting.
    case settings
    /// Buckets, statistics, module, and what is wrong with a value that `faults` says is there and cannot be had.
    case kernel(TableFaults)
    /// What the kernel's log said of full tables since the last time.
    case log
    /// How the monitor itself is: its sinks, its ring, its cost.
    case health
    /// What sysctl configuration asks for.
    case configuration
    /// Whose limit a limit looks like on this host.
    case origin
    /// What a firewall restart would do here.
    case doctor
    /// What fills the table: one dump. With nf_conntrack_tcp_timeout_established in seconds, nil = not known.
    case survey(establishedTimeout: UInt64?)

    /// Answered at once: under a millisecond, from /proc and /sys alone. The others are asked of a thread that may hang.
    package var isQuick: Bool {
        switch self {
        case .settings, .kernel, .log, .health: true
        case .configuration, .origin, .doctor, .survey: false
        }
    }
}

/// What was learnt beside the ring's records: the answer to a want, or something that happened.
package enum Reading: Sendable {
    /// An interval is over.
    case tick
    /// Time has passed: what was waited for in vain is waited for no longer.
    case time
    /// What is live now is meant.
    case accept
    /// Somebody wants the status on stderr.
    case show
    /// What happened in the last minutes is to be written.
    case incident
    /// Watching is to end, and why.
    case end(Ending)
    /// Nothing comes any more.
    case stop

    /// The answer to `Want.settings`: whole names, sorted. Empty where there is no table.
    case settings([(name: String, value: UInt64)])
    /// The answer to `Want.kernel`.
    case kernel(KernelReading)
    /// The answer to `Want.log`.
    case log(TableFullCount)
    /// The answer to `Want.health`.
    case health(Health)
    /// The answer to `Want.configuration`.
    case configuration(ConfiguredSettings)
    /// The answer to `Want.origin`.
    case origin(LimitOrigin)
    /// The answer to `Want.doctor`.
    case doctor(DoctorReport)
    /// The answer to `Want.survey`: what the dump gave, or why it gave nothing, and how long it took.
    case survey(Result<Survey, SystemError>, took: Duration)
}

/// What is wrong with the last look's values: errno of one that is there and cannot be had, 0 = nothing.
package struct TableFaults: Hashable, Sendable {
    /// Of nf_conntrack_count.
    package var entries: Int32
    /// Of nf_conntrack_max.
    package var limit: Int32
    /// No nf_conntrack here: nothing else is to be had either.
    package var absent: Bool

    /// What `look` says; nil = no look yet.
    package init(_ look: TableLook?) {
        entries = look?.entriesFault ?? 0
        limit = look?.limitFault ?? 0
        absent = look?.absent ?? false
    }
}

/// What the kernel shows of the table beside count and limit.
package struct KernelReading: Sendable {
    /// nf_conntrack_buckets.
    package var buckets: UInt64?
    /// The per-CPU statistics; nil when there are none to be had here.
    package var statistics: StatisticsReading?
    /// Why there are none, where somebody might expect them.
    package var statisticsObstacle: StatisticsObstacle?
    /// Whether traffic goes on; nil when that was not read this time, and where it cannot be.
    package var traffic: Traffic?
    /// How nf_conntrack is there.
    package var module = ConntrackModule.absent
    /// Whether listening for events would cause no module to load; false too where nf_conntrack_netlink is gone.
    package var isNetlinkThere = false
    /// What the name of the network namespace leads to; nil = it has none, or that cannot be told.
    package var namespace: NamespaceStanding?
    /// What should be had and cannot.
    package var degraded: [Degradation] = []

    /// Nothing known.
    package init() {}
}

/// The per-CPU statistics at one moment.
package struct StatisticsReading: Sendable {
    /// In the order of possible CPUs.
    package var perCPU: [StatValues]
    /// The counters began anew since the last reading.
    package var restarted: Bool

    /// A reading.
    package init(perCPU: [StatValues], restarted: Bool = false) {
        self.perCPU = perCPU
        self.restarted = restarted
    }
}

/// How the monitor itself is.
package struct Health: Sendable {
    /// What of it fails, or hangs.
    package var degraded: [Degradation] = []
    /// What its sinks could not take so far, each from the start.
    package var sinkLost: [(sink: String, lost: UInt64)] = []
    /// Ring slots.
    package var ringCapacity = 0
    /// The most records that ever waited in the ring.
    package var ringPeak = 0
    /// CPU seconds this process has used.
    package var cpuSeconds = 0.0

    /// Nothing known.
    package init() {}
}

/// What sysctl configuration asks for, as the boot applies it.
package struct ConfiguredSettings: Equatable, Sendable {
    /// The limit; nil = nothing.
    package var limit: ConfiguredLimit?
    /// Every other setting, without its nf_conntrack_ prefix.
    package var parameters: [String: ConfiguredParameter]

    /// What is asked for; nothing by default.
    package init(limit: ConfiguredLimit? = nil, parameters: [String: ConfiguredParameter] = [:]) {
        self.limit = limit
        self.parameters = parameters
    }
}
