// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// The host that is looked at: where it lies, and whether it is the running one. Decided once, here.
package struct HostPaths: Sendable {
    /// Where /proc is.
    package let procfs: String
    /// Where /sys is.
    package let sysfs: String
    /// Prefix for /etc, /run, /usr/lib look-ups; "" is this host's.
    package let root: String
    /// `procfs` is a mounted /proc: it shows this kernel, now. A saved tree's kernel sends no events here, and this one's
    /// log, statistics and dumps say nothing about it.
    package let isLive: Bool
    /// /sys where it tells about the module behind this /proc; nil when it is another kernel's.
    package let sysfsOfTable: String?
    /// Where the configuration lies that is about this /proc: this host's is not about a saved one, but what lies under a
    /// root of its own may be. nil = nowhere.
    package let configurationRoot: String?

    /// Looks at what lies there.
    package init(procfs: String = "/proc", sysfs: String = "/sys", root: String = "") {
        self.procfs = procfs
        self.sysfs = sysfs
        self.root = root
        isLive = KernelFile.isProcfs(procfs)
        sysfsOfTable = isLive || !KernelFile.isSysfs(sysfs) ? sysfs : nil
        configurationRoot = isLive || root != "" ? root : nil
    }

    /// The folder of the settings, /proc/sys/net/netfilter.
    var sysctls: String { procfs + "/sys/net/netfilter" }

    /// A file in it.
    package func sysctl(_ name: String) -> String { sysctls + "/" + name }

    /// The per-CPU statistics, /proc/net/stat/nf_conntrack.
    var statistics: String { procfs + "/net/stat/nf_conntrack" }

    /// The table is there and this kernel shows no statistics of it in /proc (CONFIG_NF_CONNTRACK_PROCFS off).
    package var lacksStatistics: Bool {
        isLive && access(sysctl("nf_conntrack_max"), F_OK) == 0 && access(statistics, F_OK) != 0 && errno == ENOENT
    }

    /// What the namespace's own protocols count, /proc/net/snmp.
    var traffic: String { procfs + "/net/snmp" }

    /// The folder that /sys has for a module.
    package func module(_ name: String) -> String { sysfs + "/module/" + name }

    /// Which boot this is.
    package var bootId: String { procfs + "/sys/kernel/random/boot_id" }
}

/// Answers what the engine wants to know of the host at once. Owned by the main thread; what may take longer is asked of
/// `SlowHost`.
package struct Host: ~Copyable {
    /// Where it lies.
    package let paths: HostPaths
    /// How nf_conntrack was there at the start.
    package let module: ConntrackModule
    private var statistics: StatisticsReader
    private var traffic: TrafficReader
    private var log: KernelLog?
    private let namespace: EnteredNamespace?

    /// Opens what is read again and again. `netns`: by what name or path this process entered its network namespace;
    /// `terms`: how ctnetlink may be asked for statistics that /proc does not have.
    package init(
        _ paths: HostPaths, enteredNamespace netns: String? = nil,
        statistics terms: StatisticsTerms = .watching(settle: .zero)
    ) {
        self.paths = paths
        namespace = netns.flatMap { EnteredNamespace($0) }
        module = paths.sysfsOfTable == nil ? .absent : .look(paths)
        let asking: StatisticsReader.Asking? = if paths.isLive { StatisticsReader.askCtnetlink } else { nil }
        statistics = StatisticsReader(paths, module: module, terms: terms, asking: asking)
        traffic = TrafficReader(paths.isLive ? paths.traffic : nil)
        log = paths.isLive ? KernelLog() : nil
    }

    /// What the monitor's first line says of the table: as /sys tells, where it tells about this one; "" = nothing.
    package var beginning: String {
        guard paths.sysfsOfTable != nil else { return "" }
        if module == .absent, access(paths.sysctl("nf_conntrack_max"), F_OK) == 0 { return ", nf_conntrack is there" }
        return ", nf_conntrack \(module.rawValue)"
    }

    /// A quick reading; nil for what is not asked of a host.
    package mutating func read(_ want: Want) -> Reading? {
        switch want {
        case .settings: .settings(readParameters(paths))
        case .kernel(let faults): .kernel(kernel(faults))
        case .log: .log(log?.take() ?? TableFullCount())
        case .health, .configuration, .origin, .doctor, .survey: nil
        }
    }

    private mutating func kernel(_ faults: TableFaults) -> KernelReading {
        var reading = KernelReading()
        reading.namespace = namespace?.standing
        reading.module = module == .absent && paths.sysfsOfTable != nil ? .look(paths) : module
        reading.isNetlinkThere = ConntrackModule.mayListen(paths)
        reading.degraded += degradation("nf_conntrack_count", faults.entries, "usage is unknown")
        reading.degraded += degradation("nf_conntrack_max", faults.limit, "usage is unknown")
        reading.traffic = traffic.read(at: .now())
        if !faults.absent { reading.buckets = readNumber(paths.sysctl("nf_conntrack_buckets")) }
        do throws(SystemError) {
            reading.statistics = try statistics.read(at: .now())
            reading.statisticsObstacle = faults.absent ? nil : statistics.obstacle
            if reading.statisticsObstacle == .netlinkAbsent, reading.module == .absent {
                reading.statisticsObstacle = .sysfsSilent
            }
        } catch {
            let remains = "table samples and events go on"
            reading.degraded.append(Degradation(part: "statistics", reason: "\(error)", remains: remains))
        }
        return reading
    }

    private func degradation(_ name: String, _ code: Int32, _ remains: String) -> [Degradation] {
        guard let reason = SystemError.whyNoNumber(at: paths.sysctl(name), code) else { return [] }
        return [Degradation(part: name, reason: reason, remains: remains)]
    }
}

extension SystemError {
    /// Why a sysctl that should hold a number gave none, with what it holds instead; nil for code 0.
    static func whyNoNumber(at path: String, _ code: Int32) -> String? {
        switch code {
        case 0: return nil
        case EINVAL:
            let text = ((try? KernelFile.text(of: path)) ?? "").prefix { $0 != "\n" }.prefix(40)
            return "\(path) holds no number but \"\(text)\""
        case ENOENT: return "\(path) is missing"
        default: return "\(path): \(SystemError.text(code))"
        }
    }
}
