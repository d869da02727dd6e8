// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackPublish
internal import Glibc

/// Could not go on: exit code 1, one line.
package struct PreparationFailure: Error, CustomStringConvertible, Sendable {
    /// The line.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

// What of the options only this host can say: whether folders are there, may be written, and are about this namespace.
extension OptionValues {
    /// Refuses files that must not be replaced. Wrong use, as what `checked()` finds.
    package func checkFiles() throws(OptionError) {
        // Replacing a device by a file would do harm.
        if let state = settings.state, !Probe.isPlainFileOrNone(state) {
            throw OptionError("\(said("state")) \(state): is no plain file")
        }
        if let textfile = settings.textfile, Probe.isFolder(textfile) {
            throw OptionError("\(said("textfile")) \(textfile): is a folder")
        }
    }

    /// The settings to work with on this host: the namespace is entered, /proc can be believed, what is to be written can be.
    /// Before any thread starts, since a thread keeps the namespace it began in.
    package func prepared() throws -> Settings {
        var settings = try checked()
        if let textfile = settings.textfile { try probe("textfile", textfile) }
        if let state = settings.state { try probe("state", state) }
        if let hook = settings.hook, hook.contains("/"), access(hook, X_OK) != 0 {
            throw PreparationFailure("\(SystemError("run", "\(said("on-alert")) \(hook)", errno))")
        }
        if let folder = settings.incidentFolder {
            try requireFolder("incident-dir", folder)
            try probe("incident-dir", folder + "/")
        }
        settings.journal = Probe.isJournal
        if settings.formatChoice == .live, let obstacle = Probe.noTerminalView {
            throw PreparationFailure("\(said("format")) live: \(obstacle)")
        }
        if settings.formatChoice == .auto { settings.formatChoice = Probe.suitsTerminalView ? .live : .lines }

        if let netns = settings.netns { try NetworkNamespace.enter(netns) }
        try requireFolder("procfs", settings.procfs)
        if let mismatch = NetworkNamespace.mismatch(procfs: settings.procfs) { throw PreparationFailure(mismatch) }
        let usual = settings.root + "/run/conntrack-mon"
        if let folder = settings.runDirectory {
            try requireFolder("run-dir", folder)
        } else if Probe.isFolder(usual) {
            settings.runDirectory = usual
            settings.isRunDirectoryGiven = false
        }
        return settings
    }

    /// Where `doctor` is to look. Nothing of this machine is mixed with a saved tree: its /proc and /sys lie under --root
    /// unless they are given.
    package func doctorPaths() throws(OptionError) -> (root: String, procfs: String, sysfs: String) {
        let builtIn = Settings()
        let isSaved = settings.root != builtIn.root
        let (isOwnProc, isOwnSys) = (settings.procfs == builtIn.procfs, settings.sysfs == builtIn.sysfs)
        // A saved host, or a container, may have no /proc or /sys; what was named must be there.
        for (name, path, isNamed) in [
            ("root", settings.root, true), ("procfs", settings.procfs, !isOwnProc),
            ("sysfs", settings.sysfs, !isOwnSys),
        ] where isNamed && !Probe.isFolder(path) {
            throw OptionError("\(said(name)) \(path): no such folder")
        }
        guard isSaved || isOwnProc || Probe.isFolder(settings.procfs + "/self") else {
            throw OptionError(
                "\(said("procfs")) \(settings.procfs) is a saved copy: give --root too, or this host's files are taken for its"
            )
        }
        return (
            root: isSaved ? settings.root : "/",
            procfs: isSaved && isOwnProc ? settings.root + builtIn.procfs : settings.procfs,
            sysfs: isSaved && isOwnSys ? settings.root + builtIn.sysfs : settings.sysfs
        )
    }

    private func requireFolder(_ name: String, _ path: String) throws(PreparationFailure) {
        guard Probe.isFolder(path) else { throw PreparationFailure("\(said(name)) \(path): no such folder") }
    }

    /// A folder that cannot be written to is said now, not when the first alert should have gone there.
    private func probe(_ name: String, _ path: String) throws(PreparationFailure) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, W_OK | X_OK) == 0 else {
            throw PreparationFailure("\(SystemError("write", "\(said(name)) \(path), folder \(folder)", errno))")
        }
    }
}

/// Questions to this host.
package enum Probe {
    /// This host's name.
    package static var hostName: String {
        var name = utsname()
        uname(&name)
        return withUnsafePointer(to: &name.nodename) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }

    /// stderr is the journal: systemd names the device and inode of its stream in JOURNAL_STREAM (systemd.exec(5)).
    static var isJournal: Bool {
        guard let stream = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        return fstat(2, &status) == 0 && String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    /// How wide the terminal is that stdout is; nil when it is none, or does not say.
    static var terminalWidth: Int? {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return nil }
        return Int(size.ws_col)
    }

    /// Whether stdout is a terminal that is to have colours: NO_COLOR is not set, and TERM names one.
    static var mayColour: Bool {
        isatty(1) == 1 && (variable("NO_COLOR") ?? "").isEmpty && !["", "dumb"].contains(variable("TERM") ?? "")
    }

    /// What keeps stdout from showing the terminal view, and what to do instead; nil = nothing.
    static var noTerminalView: String? {
        guard isatty(1) == 1 else { return "stdout is no terminal (--format lines or json is for pipes and files)" }
        let kind = variable("TERM") ?? ""
        guard !kind.isEmpty, kind != "dumb" else {
            return "TERM is \(kind.isEmpty ? "not set" : kind): this terminal shows lines only (--format lines)"
        }
        guard access("/proc/self/fd/1", R_OK | W_OK) == 0 else {
            return "\(SystemError("open", "the terminal", errno)) (--format lines)"
        }
        return nil
    }

    /// A person sits in front of stdout: keys come from there, and it is not in the background.
    static var suitsTerminalView: Bool {
        noTerminalView == nil && isatty(0) == 1 && isSameTerminal(0, 1) && tcgetpgrp(1) == getpgrp()
    }

    /// What the terminal can show, as its user says: locale(7), no-color.org.
    static var terminalCapabilities: LiveView.Capabilities {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { variable($0) }.first { !$0.isEmpty } ?? ""
        let code = locale.uppercased()
        return LiveView.Capabilities(
            isUTF8: code.contains("UTF-8") || code.contains("UTF8"),
            hasColour: (variable("NO_COLOR") ?? "").isEmpty)
    }

    /// Both are one terminal.
    static func isSameTerminal(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        return isatty(one) == 1 && isatty(other) == 1 && fstat(one, &first) == 0 && fstat(other, &second) == 0
            && first.st_rdev == second.st_rdev
    }

    /// The terminal that it was started from was closed.
    static var hasLostTerminal: Bool { (0...2).contains { hasHungUp($0) } }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Whether a file at `path` may be replaced as a whole.
    static func isPlainFileOrNone(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether `path` is a folder; "" is "/".
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path.isEmpty ? "/" : path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
