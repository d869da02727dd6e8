// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// What the main thread reads once an interval, beside the ring: buckets, statistics, kernel log, its own cost.
struct SurroundingsReader: ~Copyable {
    private let procfs: String
    private var statistics: StatisticsReader
    private var log: KernelLog?

    init(procfs: String, module: ConntrackModule) {
        self.procfs = procfs
        // This kernel's log and ctnetlink say nothing about a saved tree.
        let isLive = KernelFile.isProcfs(procfs)
        statistics = StatisticsReader(procfs: procfs, module: isLive ? module : .absent)
        log = isLive ? KernelLog() : nil
    }

    /// One reading at `moment`. `look` is the newest look at the table, whose faults are named here.
    mutating func read(at moment: Moment, look: TableLook?) -> Collector.Surroundings {
        var around = Collector.Surroundings(moment: moment)
        let netfilter = procfs + "/sys/net/netfilter/"
        if let look {
            around.degraded += degradation("nf_conntrack_count", netfilter, look.entriesFault, "usage is unknown")
            around.degraded += degradation("nf_conntrack_max", netfilter, look.limitFault, "usage is unknown")
        }
        if look?.absent != true { around.buckets = readNumber(netfilter + "nf_conntrack_buckets") }
        do throws(SystemError) {
            around.statistics = try statistics.read()
        } catch {
            let remains = "table samples and events go on"
            around.degraded.append(Degradation(part: "statistics", reason: "\(error)", remains: remains))
        }
        around.tableFullLines = log?.take() ?? TableFullCount()
        around.cpuSeconds = SurroundingsReader.cpuSeconds()
        return around
    }

    private func degradation(_ name: String, _ folder: String, _ code: Int32, _ remains: String) -> [Degradation] {
        guard code != 0 else { return [] }
        var reason = "\(folder)\(name): \(SystemError.text(code))"
        if code == EINVAL {
            let text = ((try? KernelFile.text(of: folder + name)) ?? "").prefix { $0 != "\n" }.prefix(40)
            reason = "\(folder)\(name) holds no number but \"\(text)\""
        } else if code == ENOENT {
            reason = "\(folder)\(name) is missing"
        }
        return [Degradation(part: name, reason: reason, remains: remains)]
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}
