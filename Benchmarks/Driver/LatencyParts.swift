// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// From the write of a lower limit to the moment the alert's line can be read.
enum LimitPart {
    static func run(_ plan: Plan, _ report: Report) throws {
        var times: [Double] = []
        try Limit.change { usual, write in
            guard usual > 0, usual <= 1 << 30 else { throw TestKitError("nf_conntrack_max is \(usual)") }
            let namespace = try TestNamespace()
            let folder = try TemporaryDirectory()
            try write(usual * 2)
            let watch = try Command(
                Programs.monitor, "watch", "--format", "none", "--run-dir", folder.path,
                "--textfile", folder.path(of: "watch.prom")
            ).start(in: namespace)
            guard eventually({ access(folder.path(of: "watch.prom"), F_OK) == 0 }) else {
                throw TestKitError("watch does not begin\n\(watch.transcript)")
            }
            for round in 1...plan.rounds {
                if round % 5 == 1 { note("limit, round \(round) of \(plan.rounds)") }
                // Anywhere between two samples.
                pause(.milliseconds(Int.random(in: 500..<600)))
                times.append(
                    try elapsed {
                        try write(usual)
                        try watch.waitForLine(on: .stderr, containing: " limit_dropped ")
                    } * 1000)
                try write(usual * 2)
                try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped ")
            }
            watch.send(signal: SIGTERM)
            _ = try watch.waitForExit()
            withExtendedLifetime(folder) {}
        }
        guard let spread = Spread(times) else { throw TestKitError("no round") }
        report.set(
            .limit,
            .measured(
                spread.highest,
                seen: "\(spread.highest.text(0)) ms, median \(spread.median.text(0)) ms, \(spread.rounds) rounds"))
    }
}

/// From the moment the limit is there again to the notice, in a virtual machine with Debian's kernel: here nf_conntrack may be built in,
/// and belongs to others. The machine is emulated, so its milliseconds are longer than a host's.
enum ModulePart {
    static func run(_ report: Report) throws {
        note("module, in a virtual machine")
        let folder = "\(Repository.root)/Tests/VM"
        _ = try Command("\(folder)/kernel.sh", "6.12", "\(Repository.root)/.build/vm").run(within: .seconds(300))
        let outcome = try Command(
            "\(folder)/boot.sh", "6.12", "\(Repository.root)/Benchmarks/reload.sh", Programs.monitor, "2G"
        ).run(within: .seconds(300))
        let times = outcome.standardOutput.split(separator: "\n")
            .filter { $0.hasPrefix("measured: ") }
            .compactMap { $0.split(separator: " ").dropLast().last.flatMap { Double($0) } }
        guard let spread = Spread(times) else {
            throw TestKitError("the virtual machine said nothing (\(outcome.status)): \(outcome.standardError)")
        }
        report.set(
            .module,
            .measured(
                spread.highest,
                seen: "\(spread.highest.text(0)) ms, median \(spread.median.text(0)) ms, \(spread.rounds) reloads of a"
                    + " virtual machine without KVM (kernel 6.12)"))
    }
}

/// `check` from start to end, in turn with `conntrack -C`.
enum CheckPart {
    static func run(_ plan: Plan, _ report: Report) throws {
        let namespace = try TestNamespace()
        let folder = try TemporaryDirectory()
        var ours: [Double] = []
        var theirs: [Double] = []
        note("check")
        for _ in 1...plan.rounds * 7 {
            ours.append(
                try elapsed {
                    _ = try Command(Programs.monitor, "check", "--run-dir", folder.path).run(in: namespace)
                } * 1000)
            theirs.append(try elapsed { _ = try Command("conntrack", "-C").run(in: namespace) } * 1000)
        }
        guard let spread = Spread(ours), let peer = Spread(theirs) else { throw TestKitError("no round") }
        report.set(.check, .measured(spread.median, seen: "\(spread.short) ms; `conntrack -C` \(peer.short) ms"))
    }
}
