// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// One nf_conntrack setting as the files of a host have it.
public struct ConfiguredValue: Equatable, Sendable {
    /// The setting: "nf_conntrack_max".
    public var key: String
    /// The value as written.
    public var value: String
    /// The value as the kernel takes it; nil when it would refuse it, and every other one that is configured.
    public var number: UInt64?
    /// The file that decides, as that host names it.
    public var file: String
    /// The line in it, from 1.
    public var line: Int
    /// The key as written: "net.netfilter.nf_conntrack_max", or a glob.
    public var writtenAs: String

    /// "/etc/sysctl.d/90-conntrack.conf:3".
    public var place: String { "\(file):\(line)" }
}

/// A file that can't be read, or a line that is no assignment.
public struct ConfigurationProblem: Equatable, Sendable {
    /// The file, as that host names it.
    public var file: String
    /// The line, from 1; nil for the whole file.
    public var line: Int?
    /// What is wrong.
    public var reason: String
}

/// A setting for which `sysctl --system` ends with another value than the next boot.
public struct SysctlDifference: Equatable, Sendable {
    /// The setting.
    public var key: String
    /// What the boot leaves; nil when it leaves the setting alone.
    public var boot: ConfiguredValue?
    /// What `sysctl --system` leaves.
    public var procps: ConfiguredValue?
}

/// The nf_conntrack settings that a host's files ask for, as its boot applies them.
public struct SysctlConfiguration: Sendable {
    /// Values under EL5's and EL6's names (ip_conntrack_*), which kernels since 4.9 do not have.
    public private(set) var oldNames: [ConfiguredValue] = []
    /// Values that the kernel refuses and that come last for their setting. What came before them stays.
    public private(set) var refused: [ConfiguredValue] = []
    /// What could not be used, at most 100.
    public private(set) var problems: [ConfigurationProblem] = []
    /// The settings that `sysctl --system` sets otherwise.
    public private(set) var whatProcpsDoes: [SysctlDifference] = []
    /// Every configured setting, by name; of those that only a glob reaches, the well-known ones.
    public private(set) var all: [ConfiguredValue] = []

    /// Who applies it at boot.
    let bootReader: SysctlReader
    private var boot = SysctlPlan(keepsOne: true)
    private var idle: Set<String> = []
    private let release: KernelRelease?
    private static let problemLimit = 100
    static let stepLimit = 4096

    /// Reads the configuration below `root` ("/" for this host). Never fails: see `problems`.
    public static func load(root: String) -> SysctlConfiguration {
        SysctlConfiguration(FileTree(root: root))
    }

    /// - Parameter release: Which values the kernel takes; nil for what any takes.
    init(_ tree: FileTree, release: KernelRelease? = nil) {
        self.release = release
        let reader = SysctlReader.atBoot(of: tree)
        bootReader = reader
        boot = read(tree, by: reader)
        // EL6's sysctl has no --system.
        let procps = reader == .initscripts ? boot : read(tree, by: .procps)
        let names = Set((boot.steps + procps.steps).compactMap { SysctlConfiguration.name(of: $0.assignment.key) })
            .union(SysctlConfiguration.wellKnown).sorted(by: FileTree.isBefore)
        all = names.compactMap { value(of: $0, in: boot) }
        // busybox has no `--system`.
        whatProcpsDoes =
            reader.isBusybox
            ? []
            : names.compactMap { name in
                let difference = SysctlDifference(
                    key: name, boot: value(of: name, in: boot), procps: value(of: name, in: procps))
                return difference.boot?.number == difference.procps?.number ? nil : difference
            }
        refused = names.compactMap { name in
            boot.last(for: SysctlConfiguration.paths(of: name)).flatMap {
                SysctlConfiguration.configured(name, $0, release)
            }
        }.filter { $0.number == nil }
        // Whoever reads them: nothing sets them on a kernel without these names.
        for value in SysctlConfiguration.oldNames(in: boot) + SysctlConfiguration.oldNames(in: procps)
        where !oldNames.contains(where: { $0.writtenAs == value.writtenAs && $0.value == value.value }) {
            oldNames.append(value)
        }
    }

    /// What the boot sets `name` ("nf_conntrack_max") to; nil when nothing is configured.
    public subscript(name: String) -> ConfiguredValue? {
        idle.contains(name) ? nil : value(of: name, in: boot)
    }

    /// Leaves out what is said of names that are no settings: nothing sets them.
    mutating func keep(_ isSetting: (String) -> Bool) {
        idle = Set((all + refused).map(\.key)).filter { !isSetting($0) }
        all.removeAll { !isSetting($0.key) }
        refused.removeAll { !isSetting($0.key) }
        whatProcpsDoes.removeAll { !isSetting($0.key) }
    }

    // MARK: Reading

    private mutating func read(_ tree: FileTree, by reader: SysctlReader) -> SysctlPlan {
        var plan = SysctlPlan(keepsOne: reader == .systemd)
        for file in reader.files(in: tree) {
            switch tree.read(file) {
            case .missing: continue
            case .unreadable(let reason): note(ConfigurationProblem(file: file, line: nil, reason: reason))
            case .text(let text):
                let (assignments, faulty) = SysctlSyntax.parse(text, by: reader)
                for assignment in assignments where SysctlConfiguration.concernsUs(assignment) {
                    guard plan.steps.count < SysctlConfiguration.stepLimit else {
                        note(ConfigurationProblem(file: file, line: assignment.line, reason: "too many assignments"))
                        break
                    }
                    plan.add(assignment, from: file)
                }
                for line in faulty {
                    note(ConfigurationProblem(file: file, line: line, reason: "the line is no assignment"))
                }
            }
        }
        return plan
    }

    private mutating func note(_ problem: ConfigurationProblem) {
        if problems.count < SysctlConfiguration.problemLimit, !problems.contains(problem) { problems.append(problem) }
    }

    // MARK: Names

    private static let folder = "net/netfilter/"
    private static let oldPaths = ["net/ipv4/netfilter/ip_conntrack_", "net/ipv4/ip_conntrack_"]

    static func concernsUs(_ assignment: SysctlAssignment) -> Bool {
        let key = assignment.key
        guard assignment.isGlob else { return name(of: key) != nil || oldPaths.contains(where: key.hasPrefix) }
        let literal = key.prefix { !"*?[\\{".contains($0) }
        return [folder + "nf_conntrack_", "net/nf_conntrack_max"].contains {
            literal.hasPrefix($0) || $0.hasPrefix(literal)
        }
    }

    /// The setting that an explicit key is about.
    static func name(of key: String) -> String? {
        if key == "net/nf_conntrack_max" { return "nf_conntrack_max" }
        guard key.hasPrefix(folder + "nf_conntrack_") else { return nil }
        let name = String(key.dropFirst(folder.utf8.count))
        return name.contains { "*?[/".contains($0) } ? nil : name
    }

    static func paths(of name: String) -> [String] {
        name == "nf_conntrack_max" ? [folder + name, "net/nf_conntrack_max"] : [folder + name]
    }

    /// A value that is refused changes nothing: the last one that is not counts.
    private func value(of name: String, in plan: SysctlPlan) -> ConfiguredValue? {
        let paths = SysctlConfiguration.paths(of: name)
        let step =
            plan.last(for: paths) { SettingValue($0, of: name, release: release) != nil } ?? plan.last(for: paths)
        return step.flatMap { SysctlConfiguration.configured(name, $0, release) }
    }

    private static func configured(
        _ name: String, _ step: SysctlPlan.Step, _ release: KernelRelease?
    ) -> ConfiguredValue? {
        step.assignment.value.map { value in
            ConfiguredValue(
                key: name, value: value, number: SettingValue(value, of: name, release: release)?.number,
                file: step.file,
                line: step.assignment.line, writtenAs: step.assignment.writtenAs)
        }
    }

    private static func oldNames(in plan: SysctlPlan) -> [ConfiguredValue] {
        plan.steps.compactMap { step in
            let key = step.assignment.key
            guard !step.assignment.isGlob, let path = oldPaths.first(where: key.hasPrefix) else { return nil }
            return configured("nf_conntrack_" + key.dropFirst(path.utf8.count), step, nil)
        }
    }

    /// What a glob may reach on any kernel from 2.6.32 on; nf_conntrack_count and others that can't be written are not
    /// among them.
    static let wellKnown: [String] = {
        let timeouts =
            ["generic", "gre", "icmp", "icmpv6", "udp"].map { "nf_conntrack_\($0)_timeout" }
            + ["gre", "udp"].map { "nf_conntrack_\($0)_timeout_stream" }
        let tcp = [
            "close", "close_wait", "established", "fin_wait", "last_ack", "max_retrans", "syn_recv", "syn_sent",
            "time_wait", "unacknowledged",
        ].map { "nf_conntrack_tcp_timeout_\($0)" }
        let sctp = [
            "closed", "cookie_echoed", "cookie_wait", "established", "heartbeat_acked", "heartbeat_sent",
            "shutdown_ack_sent", "shutdown_recd", "shutdown_sent",
        ].map { "nf_conntrack_sctp_timeout_\($0)" }
        let dccp = ["closereq", "closing", "open", "partopen", "request", "respond", "timewait"]
            .map { "nf_conntrack_dccp_timeout_\($0)" }
        let others = [
            "max", "buckets", "expect_max", "acct", "checksum", "events", "helper", "log_invalid", "timestamp",
            "tcp_be_liberal", "tcp_ignore_invalid_rst", "tcp_loose", "tcp_max_retrans", "dccp_loose",
        ].map { "nf_conntrack_\($0)" }
        return others + timeouts + tcp + sctp + dccp
    }()
}
