// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// The `conntrack` tool and the kernel's own files: what the monitor is compared with.
extension TestNamespace {
    /// What a program prints; anything but exit code 0 is an error.
    func output(of command: Command) throws -> String {
        let outcome = try command.run(in: self)
        guard outcome.status == .exited(0) else {
            throw TestKitError("\(command.program) \(command.arguments): \(outcome)")
        }
        return outcome.standardOutput
    }

    /// `conntrack -C`.
    func countedEntries() throws -> UInt64 {
        let text = try output(of: Command("conntrack", "-C"))
        guard let count = UInt64(text.filter { $0 != "\n" }) else { throw TestKitError("conntrack -C: \(text)") }
        return count
    }

    /// `conntrack -S`, summed over the CPUs, under the names of conntrack_stat_NAME_total.
    func countedStatistics() throws -> [String: UInt64] {
        var sums: [String: UInt64] = [:]
        for field in try output(of: Command("conntrack", "-S")).split(whereSeparator: \.isWhitespace) {
            let parts = field.split(separator: "=")
            guard parts.count == 2, parts[0] != "cpu", let value = UInt64(parts[1]) else { continue }
            // Version 1.4.7 leaves the underscore out.
            let name = parts[0] == "chaintoolong" ? "chain_toolong" : String(parts[0])
            sums[name, default: 0] += value
        }
        return sums
    }

    /// nf_conntrack_max as seen from inside.
    func limit() throws -> UInt64 {
        let text = try read("/proc/sys/net/netfilter/nf_conntrack_max")
        guard let limit = UInt64(text.filter { $0 != "\n" }) else { throw TestKitError("nf_conntrack_max: \(text)") }
        return limit
    }

    /// The event groups (bits 0 to 2: new, update, destroy) of each netfilter socket that a process has here.
    func netfilterSockets(of process: pid_t) throws -> [UInt32] {
        let folder = "/proc/\(process)/fd"
        let links = try Command("find", folder, "-type", "l", "-printf", "%l\n").run().standardOutput
        let own = Set(links.split(separator: "\n"))
        return try read("/proc/thread-self/net/netlink").split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 10, fields[1] == "12", own.contains("socket:[\(fields[9])]") else { return nil }
            return UInt32(fields[3], radix: 16)
        }
    }
}
