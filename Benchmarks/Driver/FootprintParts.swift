// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// Resident memory, idle and over many events.
enum MemoryPart {
    private static let entries = 150_000

    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        let exporter = exporterMegabytes(in: arena.namespace)
        let listener = try Listener(.watch("auto"), in: arena.namespace)
        pause(.seconds(3))
        let idle = try listener.residentMegabytes()

        let count = arena.entries(entries)
        var events = 0.0
        var early: Double?
        var highest = idle
        while events < Double(plan.events) {
            note("memory, \(events.grouped) of \(Double(plan.events).grouped) events")
            for _ in 1...5 { events += try Made(count: count, in: arena.namespace).events }
            let now = try listener.residentMegabytes()
            highest = max(highest, now)
            early = early ?? now
        }
        listener.rest()
        let end = try listener.residentMegabytes()
        _ = try listener.stop()
        let peer =
            exporter.map { "; node_exporter, not scraped yet, \($0.text(1)) MB" } ?? "; node_exporter did not start"
        report.set(
            .memory, .measured(idle, seen: "\(idle.text(1)) MB, at most \(highest.text(1)) MB under load\(peer)"))
        let grown = max(highest, end) - (early ?? idle)
        report.set(
            .growth,
            .measured(grown, seen: "\(grown.text(2)) MB after the first million of \(events.grouped) events"))
    }

    private static func exporterMegabytes(in namespace: TestNamespace) -> Double? {
        do {
            let exporter = try Command(
                Programs.exporter, "--collector.disable-defaults", "--collector.conntrack",
                "--web.listen-address=127.0.0.1:9100"
            ).start(in: namespace)
            try exporter.waitForLine(on: .stderr, containing: "9100")
            pause(.seconds(2))
            let status = try readFile("/proc/\(exporter.process)/status").split(separator: "\n")
            let line = status.first { $0.hasPrefix("VmRSS:") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
        } catch {
            note("\(error)")
            return nil
        }
    }
}

/// CPU on a host where nothing happens.
enum IdlePart {
    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        let listener = try Listener(.watch("auto"), in: arena.namespace)
        pause(.seconds(2))
        let before = try listener.processorTime()
        let childrenBefore = childrenProcessorSeconds()
        let time = try elapsed {
            for second in 1...max(plan.rounds * 3, 1) {
                if second % 5 == 1 { note("idle, \(second - 1) s") }
                _ = try Command("conntrack", "-C").run(in: arena.namespace)
                pause(.seconds(1))
            }
        }
        let after = try listener.processorTime()
        func share(_ spent: UInt64) -> Double { Double(spent) / 1e9 / time * 100 }
        let whole = share(after.whole - before.whole)
        let threads = after.threads.sorted { $0.key < $1.key }.map { name, spent in
            "\(name) \(share(spent - (before.threads[name] ?? 0)).text(3))"
        }
        let peer = (childrenProcessorSeconds() - childrenBefore) / time * 100
        _ = try listener.stop()
        report.set(
            .idle,
            .measured(
                whole,
                seen: "\(whole.text(3)) % over \(time.text(0)) s (threads: \(threads.joined(separator: ", ")));"
                    + " `conntrack -C` \(peer.text(3)) %"))
    }
}

/// What lies on the disk.
enum BinaryPart {
    static func run(_ report: Report) throws {
        var status = stat()
        guard stat(Programs.monitor, &status) == 0 else { throw SystemError("stat \(Programs.monitor)") }
        let megabytes = Double(status.st_size) / 1e6
        report.set(.binary, .measured(megabytes, seen: "\(megabytes.text(1)) MB"))
    }
}
