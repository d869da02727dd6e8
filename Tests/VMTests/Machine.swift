// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// A kernel of Debian's that is booted.
enum Kernel: String, CaseIterable, CustomTestStringConvertible {
    case bookworm = "6.1"
    case backports = "6.12"

    var testDescription: String { "kernel \(rawValue)" }
}

/// A file of scenarios in Tests/VM: all that run in one boot.
enum Scenarios: String {
    case restarts, changes, small, sysctl, holding, restoring, rebooting

    var memory: String { self == .restarts || self == .changes ? "2G" : "512M" }
    /// Who reads sysctl configuration does not depend on the kernel.
    var kernels: [Kernel] { self == .sysctl ? [.backports] : Kernel.allCases }
    /// What else there is in the machine; "PROGRAM:NAME", or a folder in which hosts' sysctl configuration is kept.
    var programs: [String] {
        switch self {
        case .restarts, .changes, .small: []
        case .sysctl:
            [
                "/lib/systemd/systemd-sysctl", "/sbin/sysctl:procps-sysctl",
                "\(Repository.root)/Tests/Fixtures/doctor:fixtures",
            ]
        case .holding, .restoring, .rebooting:
            [
                "/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-modules-load", "/sbin/sysctl:procps-sysctl",
                "/bin/udevadm", "/bin/udevadm:systemd-udevd", "/usr/sbin/ipset", "/usr/bin/setpriv:as",
                "/usr/sbin/xtables-nft-multi:iptables-nft", "\(Repository.root)/Tests/VM/iptables.init",
                "\(Repository.root)/Tests/VM/foretold.sh",
            ]
        }
    }
}

/// The machines that run scenarios. Each file of scenarios is booted once a kernel, when the first of them is asked for,
/// with both kernels at a time: most of what they do is to wait.
@MainActor
enum Machine {
    private struct Boot: Hashable {
        var scenarios: Scenarios
        var kernel: Kernel
    }

    /// Whether the tests can run here, or must.
    nonisolated static let canBoot = Requirement.met(
        .program("qemu-system-x86_64"), .program("cpio"), .kernelImage(Kernel.bookworm.rawValue),
        .kernelImage(Kernel.backports.rawValue))
    /// Likewise, with what hosts have that the machines stand for.
    nonisolated static let canForetell =
        canBoot
        && Requirement.met(
            .program("udevadm"), .program("ipset"), .program("xtables-nft-multi"), .program("setpriv"))

    private static var running: [Boot: RunningCommand] = [:]
    private static var transcripts: [Boot: [String: String]] = [:]

    /// What a scenario printed.
    static func transcript(of name: String, in scenarios: Scenarios, on kernel: Kernel) throws -> String {
        let boot = Boot(scenarios: scenarios, kernel: kernel)
        if transcripts[boot] == nil { transcripts[boot] = try run(boot) }
        guard let transcript = transcripts[boot]?[name] else {
            throw TestKitError("\(scenarios).sh on \(kernel.rawValue) says nothing of \(name)")
        }
        return transcript
    }

    private static func run(_ boot: Boot) throws -> [String: String] {
        for kernel in boot.scenarios.kernels {
            let other = Boot(scenarios: boot.scenarios, kernel: kernel)
            if running[other] == nil && transcripts[other] == nil { running[other] = try start(other) }
        }
        defer { running[boot] = nil }
        guard let machine = running[boot], let status = try machine.waitForExit(within: .seconds(900)) else {
            transcripts[boot] = [:]
            throw TestKitError("\(boot.scenarios).sh on \(boot.kernel.rawValue) does not end")
        }
        guard status == .exited(0) else {
            transcripts[boot] = [:]
            throw TestKitError("\(boot.scenarios).sh on \(boot.kernel.rawValue): \(status)\n\(machine.transcript)")
        }
        return parts(of: machine.standardOutput)
    }

    private static func start(_ boot: Boot) throws -> RunningCommand {
        let folder = "\(Repository.root)/Tests/VM"
        let binary = getenv("CONNTRACK_MON_VM_BINARY").map { String(cString: $0) }
        let arguments = [
            boot.kernel.rawValue, "\(folder)/\(boot.scenarios).sh",
            binary ?? "\(Repository.root)/.build/release/conntrack-mon", boot.scenarios.memory,
        ]
        return try Command("\(folder)/boot.sh", arguments: arguments + boot.scenarios.programs).start()
    }

    /// The output by scenario; "=== NAME" begins one.
    private static func parts(of output: String) -> [String: String] {
        var parts: [String: String] = [:]
        var name = ""
        for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("=== ") {
                name = String(line.dropFirst(4))
                parts[name] = ""
            } else {
                parts[name, default: ""] += line + "\n"
            }
        }
        return parts
    }
}
