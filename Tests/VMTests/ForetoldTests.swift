// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

/// What doctor foretells of a restart of the firewall, against what a real stop and start do. A wrong word here sends
/// somebody the wrong way: each verdict and each value of each way is compared.
/// A virtual machine, since only there a real module may be unloaded.
@MainActor @Suite(.serialized, .enabled(if: Machine.canForetell))
struct ForetoldTests {
    @Test(arguments: Foretold.ways("holding"), Kernel.allCases)
    func `whether a stop unloads the module is foretold`(way: String, kernel: Kernel) throws {
        try expectTrue(Foretold(way, in: .holding, on: kernel), on: kernel)
    }

    @Test(arguments: Foretold.ways("restoring"), Kernel.allCases)
    func `what a start puts back is foretold`(way: String, kernel: Kernel) throws {
        try expectTrue(Foretold(way, in: .restoring, on: kernel), on: kernel)
    }

    @Test(arguments: Foretold.ways("rebooting"), Kernel.allCases)
    func `what a boot leaves is foretold`(way: String, kernel: Kernel) throws {
        let foretold = try Foretold(way, in: .rebooting, on: kernel)
        let reboot = try Foretold.rebooted(way, on: kernel)
        let faults = foretold.faults(of: "after_reboot", \.afterReboot, \.afterRebootMost, against: reboot)
        for fault in faults { Issue.record("FAILED: \(way): \(fault) (\(kernel))") }
    }

    /// A service's user with CAP_NET_ADMIN asks the kernel for rules, but may not read which tables there are.
    @Test(arguments: Kernel.allCases)
    func `what another user than root is told is never a guess`(kernel: Kernel) throws {
        let transcript = try Machine.transcript(of: "packaged-user", in: .holding, on: kernel)
        let lines = transcript.split(separator: "\n").filter { $0.hasPrefix("as a user") }
        try expectGolden(lines.joined(separator: "\n") + "\n", "vm/packaged-user.txt", kernel)
    }

    /// That the machine did what a way is meant to do: the same on each kernel, whatever doctor says.
    @Test(arguments: Kernel.allCases)
    func `what restarts and boots really do is known`(kernel: Kernel) throws {
        var text = ""
        for scenarios in [Scenarios.holding, .restoring] {
            let lines = try Machine.transcript(of: "default", in: scenarios, on: kernel).split(separator: "\n")
            let usual = try #require(Foretold.settings("reload", in: lines))
            text += "# \(scenarios)\n"
            for way in Foretold.ways(scenarios.rawValue) {
                let foretold = try Foretold(way, in: scenarios, on: kernel)
                text += "\(way): \(foretold.stops.joined(separator: ", "))"
                if let restart = foretold.restart, restart != foretold.before {
                    text += "; then \(Foretold.text(restart, default: usual))"
                }
                text += "; reload: \(foretold.reload.map { Foretold.text($0, default: usual) } ?? "none")\n"
            }
            guard scenarios == .restoring else { continue }
            text += "# rebooting\n"
            for way in Foretold.ways("rebooting") {
                text += "\(way): \(Foretold.text(try Foretold.rebooted(way, on: kernel), default: usual))\n"
            }
        }
        try expectGolden(text, "vm/foretold.txt", kernel)
    }

    private func expectGolden(_ text: String, _ file: String, _ kernel: Kernel) throws {
        if let difference = try Golden.compare(text, with: file) {
            Issue.record("kernel \(kernel.rawValue)\n\(difference)")
        }
    }
}

/// The verdict, the limit that goes with it, and the column "after_reload".
@MainActor
private func expectTrue(_ foretold: Foretold, on kernel: Kernel) {
    let (name, report) = (foretold.name, foretold.report)
    func fail(_ text: String) { Issue.record("FAILED: \(name): \(text) (\(kernel.rawValue))") }

    if report.reloadWouldUnload != foretold.unloads {
        let verdict = report.reloadWouldUnload.map { "\($0)" } ?? "nothing"
        let why = report.why.joined(separator: "; ")
        fail("reload_would_unload foretold \(verdict), was \(foretold.unloads); why: \(why)")
    } else if let limit = (foretold.restart ?? foretold.reload)?["nf_conntrack_max"] {
        // Where the verdict is wrong so is the limit that goes with it.
        let row = report.settings.first { $0.name == "nf_conntrack_max" }
        let most = foretold.unloads ? row?.afterReloadMost : nil
        let isTrue = report.reloadLimit.map { limit >= Int64(clamping: $0) && limit <= Int64(clamping: most ?? $0) }
        if isTrue != true {
            fail("reload_limit foretold \(report.reloadLimit.map { "\($0)" } ?? "nothing"), was \(limit)")
        }
    }
    guard let reload = foretold.reload else { return fail("the module was not loaded again") }
    let faults = foretold.faults(of: "after_reload", \.afterReload, \.afterReloadMost, against: reload)
    for fault in faults { fail(fault) }
}

extension Foretold {
    /// What the second boot left.
    @MainActor
    fileprivate static func rebooted(_ way: String, on kernel: Kernel) throws -> Settings {
        let transcript = try Machine.transcript(of: way + " rebooted", in: .rebooting, on: kernel)
        let lines = transcript.split(separator: "\n")
        for line in lines where line.hasPrefix("FAILED: ") { throw TestKitError("\(way): \(line)") }
        return try #require(settings("reboot", in: lines))
    }
}
