// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What a firewall restart or a reboot would do to the limit here, and what to change.",
        discussion: """
            Reads and changes nothing. Exit code: 0 nothing found, 1 warnings, 2 critical. Without root it knows less. \
            With --root a saved host is examined, a sosreport for instance: its proc and sys folders are used instead of \
            this host's, unless --procfs and --sysfs name others.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "One JSON object, for programs.")
    var json = false

    func validate() throws {
        _ = try global.doctorPaths()
    }

    func run() throws {
        let paths = try global.doctorPaths()
        // Exit code 1 means warnings here: what can't be examined at all is a wrong use.
        if let netns = global.netns {
            do { try NetworkNamespace.enter(netns) } catch { throw ValidationError("\(error)") }
        }
        if let mismatch = NetworkNamespace.mismatch(procfs: paths.procfs) { throw ValidationError(mismatch) }
        let report = Doctor.examine(root: paths.root, procfs: paths.procfs, sysfs: paths.sysfs)
        print(json ? report.json() : report.text())
        throw ExitCode(report.exitCode)
    }
}

extension GlobalOptions {
    /// Where to look. Nothing of this machine is mixed with a saved tree: its /proc and /sys lie under --root unless
    /// they are given.
    func doctorPaths() throws -> (root: String, procfs: String, sysfs: String) {
        let isSaved = root != "/"
        let paths = (
            root: root, procfs: isSaved && procfs == "/proc" ? root + "/proc" : procfs,
            sysfs: isSaved && sysfs == "/sys" ? root + "/sys" : sysfs
        )
        // A saved host, or a container, may have no /proc or /sys; what was named must be there.
        for (flag, path, named) in [
            ("--root", root, true), ("--procfs", procfs, procfs != "/proc"), ("--sysfs", sysfs, sysfs != "/sys"),
        ] where named && !isFolder(path) {
            throw ValidationError("\(flag) \(path): no such folder")
        }
        guard isSaved || procfs == "/proc" || isFolder(procfs + "/self") else {
            throw ValidationError(
                "--procfs \(procfs) is a saved copy: give --root too, or this host's files are taken for its")
        }
        return paths
    }
}
