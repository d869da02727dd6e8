// SPDX-License-Identifier: GPL-3.0-or-later

/// Every alert, by the name that lines, JSON and metrics give it.
public enum AlertName: String, CaseIterable, Codable, Sendable {
    case usageHigh = "usage_high"
    case tableFull = "table_full"
    case natPortsLow = "nat_ports_low"
    case insertClash = "insert_clash"
    case earlyDrop = "early_drop"
    case limitDropped = "limit_dropped"
    case limitNotApplied = "limit_not_applied"
    case moduleUnloaded = "module_unloaded"
    case moduleAbsent = "module_absent"
    case parametersReverted = "parameters_reverted"
    case fillForecast = "fill_forecast"
    case hashRefuses = "hash_refuses"
    case hashOverloaded = "hash_overloaded"
    case eventsLost = "events_lost"
    case eventsSilent = "events_silent"
    case monitorDegraded = "monitor_degraded"

    /// The levels it can have.
    public var levels: [Level] {
        switch self {
        case .usageHigh, .natPortsLow, .limitDropped, .moduleAbsent: [.warning, .critical]
        case .tableFull, .moduleUnloaded: [.critical]
        case .insertClash, .earlyDrop, .limitNotApplied, .parametersReverted, .fillForecast, .hashRefuses,
            .hashOverloaded, .eventsLost, .eventsSilent, .monitorDegraded:
            [.warning]
        }
    }

    /// What explains it: while one of these fires, it does not begin and is not repeated.
    package var causes: [AlertName] {
        switch self {
        case .usageHigh: [.tableFull, .moduleUnloaded]
        case .fillForecast: [.tableFull, .moduleUnloaded, .usageHigh]
        case .earlyDrop: [.tableFull]
        case .hashRefuses: [.tableFull, .moduleUnloaded, .usageHigh]
        case .hashOverloaded: [.hashRefuses]
        case .natPortsLow, .limitDropped, .eventsSilent: [.moduleUnloaded]
        case .limitNotApplied, .parametersReverted: [.moduleUnloaded, .limitDropped]
        case .tableFull, .moduleUnloaded, .moduleAbsent, .insertClash, .eventsLost, .monitorDegraded:
            []
        }
    }
}

/// Occurrences that have no end.
public enum NoticeName: String, CaseIterable, Sendable {
    case moduleReloaded = "module_reloaded"
    case moduleAbsent = "module_absent"
    case limitChanged = "limit_changed"
    case limitRestored = "limit_restored"
    case parameterChanged = "parameter_changed"
    case tableFlushed = "table_flushed"
    case connectionsForgotten = "connections_forgotten"
    case trackingStopped = "tracking_stopped"
    case earlyDrop = "early_drop"
    case eventsLost = "events_lost"
    case eventBudgetExceeded = "event_budget_exceeded"
    case eventBudgetMet = "event_budget_met"
    case eventCostHigh = "event_cost_high"
    case samplingGap = "sampling_gap"
    case nothingTracked = "nothing_tracked"
}

/// How bad an alert is.
public enum Level: Int, Comparable, CaseIterable, Sendable {
    case warning, critical

    /// WARNING is less than CRITICAL.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// As metrics and JSON spell it.
    public var name: String { self == .critical ? "critical" : "warning" }
}

/// Whose host and namespace an announcement is about.
public struct Identity: Equatable, Sendable {
    /// The host's name.
    public var host: String
    /// The network namespace, as NetworkNamespace.label gives it.
    public var netns: String
    /// It is the host's own namespace, whatever it is called: here the limit can be written, and sysctl.d is about it.
    public var isInitialNamespace: Bool

    /// A host and a namespace on it.
    public init(host: String, netns: String, isInitialNamespace: Bool = true) {
        self.host = host
        self.netns = netns
        self.isInitialNamespace = isInitialNamespace
    }
}

/// Something to be said on stderr, to the hook, and in the journal.
public struct Announcement: Equatable, Sendable {
    /// What became of the alert.
    public enum State: String, Sendable {
        case firing, repeating, resolved, notice
        /// The monitor's own log.
        case log
    }

    /// When.
    public var time: WallTime
    /// An alert's, a notice's, or "monitor".
    public var name: String
    /// What became of it.
    public var state: State
    /// The level it fires at; when it is resolved, that of the last line about it. nil for notices and the log.
    public var level: Level?
    /// Tells instances of one alert apart (the part that is degraded); nil when there is only one.
    public var subject: String?
    /// Shared by all that belongs to one reload.
    public var incident: String?
    /// What, why, and what to do.
    public var explanation: Explanation
    /// Figures for programs.
    public var values: [String: Double] = [:]
    /// Names for programs. They may differ from line to line about one alert, so they are no labels.
    public var details: [String: String] = [:]

    /// Something to be said.
    package init(
        time: WallTime, name: String, state: State, level: Level? = nil, subject: String? = nil,
        incident: String? = nil, explanation: Explanation, values: [String: Double] = [:],
        details: [String: String] = [:]
    ) {
        self.time = time
        self.name = name
        self.state = state
        self.level = level
        self.subject = subject
        self.incident = incident
        self.explanation = explanation
        self.values = values
        self.details = details
    }

    /// Something to be said in one sentence: a line of the monitor's own log.
    package init(time: WallTime, name: String, state: State, level: Level? = nil, summary: String) {
        self.init(time: time, name: name, state: state, level: level, explanation: Explanation(summary))
    }

    /// One line: what, why, and what to do.
    public var summary: String { explanation.text }

    /// The word at the line's start.
    public var word: String {
        switch state {
        case .firing, .repeating: level == .critical ? "CRITICAL" : "WARNING"
        case .resolved: "RESOLVED"
        case .notice: "NOTICE"
        case .log: level == nil ? "INFO" : "WARNING"
        }
    }
}

/// An alert that fires now.
public struct FiringAlert: Equatable, Sendable {
    /// Which.
    public var name: AlertName
    /// Which instance of it.
    public var subject: String?
    /// How bad.
    public var level: Level
    /// Since when.
    public var since: Moment
    /// What is the case now, or was when it was last known.
    public var explanation: Explanation
    /// Since when what its level stands for is not the case any more: it only waits for its clear hold, and `explanation`
    /// says what was. nil while it is the case.
    public var clearingSince: Moment?

    /// An alert that fires.
    package init(
        name: AlertName, subject: String? = nil, level: Level, since: Moment, explanation: Explanation,
        clearingSince: Moment? = nil
    ) {
        self.name = name
        self.subject = subject
        self.level = level
        self.since = since
        self.explanation = explanation
        self.clearingSince = clearingSince
    }

    /// All that is to be said of it now, in one line.
    public var summary: String { explanation.text }
}
