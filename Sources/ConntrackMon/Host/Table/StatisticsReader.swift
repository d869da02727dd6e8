// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackModel
internal import Glibc

/// Reads the per-CPU statistics once an interval, from /proc/net/stat/nf_conntrack. Where this kernel has no such file
/// (CONFIG_NF_CONNTRACK_PROCFS off) it asks ctnetlink, but only with nf_conntrack built in: elsewhere the request itself
/// would load the module again that an administrator is just unloading.
struct StatisticsReader: ~Copyable {
    private let path: String
    private let mayAsk: Bool
    private var file: KernelFile?
    private var everRead = false

    init(procfs: String, module: ConntrackModule) {
        path = procfs + "/net/stat/nf_conntrack"
        mayAsk = module == .builtIn
    }

    /// nil when there are none to be had here; throws when there should be.
    mutating func read() throws(SystemError) -> StatisticsReading? {
        var restarted = false
        do throws(SystemError) {
            if file == nil {
                file = try KernelFile(path)
                restarted = everRead
            }
            guard let reading = try parse() else { throw SystemError("read", path, ENODATA) }
            everRead = true
            return StatisticsReading(perCPU: reading, restarted: restarted)
        } catch {
            file = nil
            guard KernelFile.isGone(error.code) else { throw error }
        }
        return try ask()
    }

    private func parse() throws(SystemError) -> [StatValues]? {
        guard let text = try file?.text(limit: 1 << 20) else { return nil }
        guard let cpus = parseStatistics(text) else { throw SystemError("make sense of", path, EINVAL) }
        return cpus
    }

    private func ask() throws(SystemError) -> StatisticsReading? {
        guard mayAsk, !everRead else { return nil }
        var cpus = [cnf_cpu_stats](repeating: cnf_cpu_stats(), count: 1024)
        let count = cnf_stats_cpu(&cpus, cpus.count)
        if count == -EPERM { return nil }
        guard count >= 0 else { throw SystemError("ask", "ctnetlink for statistics", -count) }
        return StatisticsReading(perCPU: cpus.prefix(Int(count)).map(StatisticsReader.values))
    }

    private static func values(_ cpu: cnf_cpu_stats) -> StatValues {
        var values = StatValues()
        withUnsafeBytes(of: cpu.value) { bytes in
            for stat in Stat.allCases where cpu.present & (1 << UInt32(stat.rawValue)) != 0 {
                values[stat] = UInt64(bytes.load(fromByteOffset: 4 * stat.rawValue, as: UInt32.self))
            }
        }
        return values
    }
}
