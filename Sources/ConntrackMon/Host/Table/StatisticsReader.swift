// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackModel
internal import Glibc

/// Reads the per-CPU statistics once an interval, from /proc/net/stat/nf_conntrack. Where this kernel has no such file
/// (CONFIG_NF_CONNTRACK_PROCFS off: NixOS, Ubuntu 18.04 to 22.04) it asks ctnetlink, where and when `StatisticsPolicy` says
/// that this does no harm: elsewhere the request itself would load the module again that an administrator is just unloading.
struct StatisticsReader: ~Copyable {
    /// Asks ctnetlink, unless nf_conntrack_netlink is not live any more by its initstate, an open descriptor; -1 = it need
    /// not be looked at.
    typealias Asking = (_ initstate: Int32) throws(SystemError) -> [StatValues]

    private let path: String
    private let isBuiltIn: Bool
    private let asking: Asking?
    private var policy: StatisticsPolicy
    private var witness: NetlinkWitness
    private var file: KernelFile?
    private var everRead = false
    private var everAsked = false
    /// Why there are none, as far as the last reading showed; nil where there are, and where that says nothing.
    private(set) var obstacle: StatisticsObstacle?

    /// `asking`: nil where this kernel is not the one that `paths` are about.
    init(_ paths: HostPaths, module: ConntrackModule, terms: StatisticsTerms, asking: Asking?) {
        path = paths.statistics
        isBuiltIn = module == .builtIn
        policy = StatisticsPolicy(terms)
        witness = NetlinkWitness(paths)
        self.asking = asking
    }

    /// nil when there are none to be had here; throws when there should be.
    mutating func read(at time: MonotonicTime) throws(SystemError) -> StatisticsReading? {
        obstacle = nil
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
        // A kernel that has the file has it whenever nf_conntrack is there.
        guard let asking, !everRead else { return nil }
        return isBuiltIn ? try ask(asking, -1) : try askModule(asking, at: time)
    }

    private func parse() throws(SystemError) -> [StatValues]? {
        guard let text = try file?.text(limit: 1 << 20) else { return nil }
        guard let cpus = parseStatistics(text) else { throw SystemError("make sense of", path, EINVAL) }
        return cpus
    }

    private mutating func askModule(_ asking: Asking, at time: MonotonicTime) throws(SystemError) -> StatisticsReading?
    {
        switch policy.answer(witness.look(at: time)) {
        case .wait: return nil
        case .obstacle(let why):
            obstacle = why
            return nil
        case .ask: return try ask(asking, witness.descriptor)
        }
    }

    private mutating func ask(_ asking: Asking, _ initstate: Int32) throws(SystemError) -> StatisticsReading? {
        do throws(SystemError) {
            let perCPU = try asking(initstate)
            let restarted = witness.takeRestart() && everAsked
            everAsked = true
            return StatisticsReading(perCPU: perCPU, restarted: restarted)
        } catch {
            switch error.code {
            case EPERM: obstacle = .notPermitted
            // It went between the two looks; the next one tells the policy.
            case ENODEV: obstacle = .changing
            default: throw error
            }
            return nil
        }
    }

    /// Asks ctnetlink for this network namespace's.
    static func askCtnetlink(_ initstate: Int32) throws(SystemError) -> [StatValues] {
        var cpus = [cnf_cpu_stats](repeating: cnf_cpu_stats(), count: 1024)
        let count = cnf_stats_cpu(&cpus, cpus.count, initstate)
        guard count >= 0 else { throw SystemError("ask", "ctnetlink for statistics", -count) }
        return cpus.prefix(Int(count)).map(values)
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
