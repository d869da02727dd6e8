// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Tests whose figures depend on nf_conntrack_max, which is one for all namespaces, and those that change it: one after
/// the other, also where this suite runs twice on one host.
/// Processes, since nf_conntrack_max is the real one, and the alert comes by way of the kernel.
@Suite(.serialized, .enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct LimitTests {
    /// Held for a test's length. On the kernel's own file, so that every test run of this host means the same lock.
    private let lock: LimitLock

    init() throws {
        lock = try LimitLock()
    }

    @Test func `usage_high fires above its thresholds, holds within the margin and ends below it`() throws {
        let namespace = try TestNamespace()
        let table = try Table(namespace)
        let watch = try Watch(
            in: namespace, "--warn", "0.5%", "--crit", "1%", "--clear-margin", "0.1%", "--warn-hold", "100ms",
            "--crit-hold", "100ms", "--clear-hold", "100ms")
        func expect(_ share: Double, level: String?) throws {
            let count = try table.fill(to: share)
            try watch.waitForStatus("\(count) entries and level \(level ?? "none")") {
                $0.entries == count && $0.level(of: "usage_high") == level
            }
            // It stays so: holds are two intervals long, these are ten.
            for _ in 0..<10 {
                let status = try watch.waitForStatus("anything") { _ in true }
                #expect(status.level(of: "usage_high") == level, "at \(share)")
            }
            try watch.waitForMetrics("usage_high \(level ?? "none")") {
                $0.fires("usage_high", "warning") == (level == "warning")
                    && $0.fires("usage_high", "critical") == (level == "critical")
            }
        }
        try expect(0.0045, level: nil)
        try expect(0.0055, level: "warning")
        try watch.waitForLine(" WARNING usage_high ")
        try expect(0.0045, level: "warning")
        try expect(0.0110, level: "critical")
        try watch.waitForLine(" CRITICAL usage_high ")
        try expect(0.0095, level: "critical")
        try expect(0.0080, level: "warning")
        try watch.waitForLine(" WARNING usage_high ")
        try expect(0.0030, level: nil)
        try watch.waitForLine(" RESOLVED usage_high ")
        try watch.stop()

        // What fills the table is said in a line of its own, once that is known; a level is said once.
        let levels = watch.process.standardError.split(separator: "\n").filter { $0.contains(" usage_high ") }
            .compactMap { $0.split(separator: " ").dropFirst().first }
        let changes = levels.indices.filter { $0 == 0 || levels[$0] != levels[$0 - 1] }.map { levels[$0] }
        #expect(changes == ["WARNING", "CRITICAL", "WARNING", "RESOLVED"])
    }

    @Test func `check and status know the thresholds too`() throws {
        let namespace = try TestNamespace()
        _ = try Table(namespace).fill(to: 0.006)
        let (binary, folder) = (try Repository.builtBinary(), try TemporaryDirectory())
        func check(_ warn: String, _ crit: String) throws -> Command.Outcome {
            try Command(binary, "check", "-w", warn, "-c", crit, "--run-dir", folder.path).run(in: namespace)
        }

        #expect(try check("0.7%", "0.8%").status == .exited(0))
        #expect(try check("0.5%", "0.8%").status == .exited(1))
        #expect(try check("0.4%", "0.5%").status == .exited(2))
        #expect(try check("0.4%", "0.5%").standardOutput.hasPrefix("CONNTRACK CRITICAL - "))
    }
}

/// An exclusive flock(2).
final class LimitLock {
    private let descriptor: Int32

    init() throws {
        descriptor = open("/proc/sys/net/netfilter/nf_conntrack_max", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else { throw SystemError("lock nf_conntrack_max") }
    }

    deinit {
        close(descriptor)
    }
}

/// Entries made and deleted until the table is as full as wanted.
final class Table {
    let limit: UInt64
    private let namespace: TestNamespace
    private var count: UInt32 = 0

    init(_ namespace: TestNamespace) throws {
        self.namespace = namespace
        limit = try namespace.limit()
        guard limit > 0 else { throw TestKitError("nf_conntrack_max is 0: nothing is a share of it") }
    }

    /// Returns how many there are then.
    func fill(to share: Double) throws -> UInt64 {
        let wanted = UInt32(Double(limit) * share)
        let (first, change) = (min(count, wanted), max(count, wanted) - min(count, wanted))
        let done =
            wanted > count
            ? try namespace.makeEntries(first: first, count: change)
            : try namespace.deleteEntries(first: first, count: change)
        guard done == UInt64(change) else { throw TestKitError("\(done) of \(change) entries") }
        count = wanted
        return UInt64(count)
    }
}
