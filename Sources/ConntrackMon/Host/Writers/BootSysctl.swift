// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// How a start script applies sysctl configuration at boot, on hosts whose init has no program of its own for it.
struct BootSysctl: Equatable {
    /// To stand in a sentence: "OpenRC's sysctl service".
    var name: String
    /// What shows that it is started, or the script.
    var evidence: Evidence?
    /// nil where that can't be known.
    var isEnabled: Bool?
    /// The runs of sysctl, one after the other. More than one way where the script is not there to read: the likeliest is
    /// the first one.
    var ways: [[SysctlRun]]

    /// nil for systemd, EL6 and an init that is not known.
    init?(_ initSystem: InitSystem, in tree: FileTree) {
        let program = SysctlProgram(of: tree, initSystem: initSystem)
        switch initSystem {
        case .systemd, .initscripts, .unknown: return nil
        case .openrc: self = .openRC(tree, program)
        case .openwrt: self = .openWrt(tree)
        case .runit: self = .runit(tree)
        case .upstart: self = .upstart(tree)
        case .sysvinit: self = .sysvinit(tree)
        case .busybox: self = .buildroot(tree, program)
        }
    }

    private init(_ name: String, isEnabled: Bool?, evidence: Evidence?, ways: [[SysctlRun]]) {
        (self.name, self.isEnabled, self.evidence, self.ways) = (name, isEnabled, evidence, ways)
    }

    // MARK: OpenRC

    /// Debian's openrc starts Debian's script.
    private static func openRC(_ tree: FileTree, _ program: SysctlProgram) -> BootSysctl {
        let service = OpenRC(tree).service(["sysctl", "procps"])
        let level = OpenRC(tree).level(of: ["sysctl", "procps"])
        let script = "/etc/init.d/\(service?.name ?? "sysctl")"
        return BootSysctl(
            service?.name == "procps" ? "the procps start script" : "OpenRC's sysctl service",
            isEnabled: level.map { $0 != .off },
            evidence: service.map { Evidence(file: $0.link, text: "") },
            ways: service?.name == "procps" ? [system] : openRC(tree, program, script: script))
    }

    private static func openRC(_ tree: FileTree, _ program: SysctlProgram, script: String) -> [[SysctlRun]] {
        let text = tree.text(script) ?? ""
        let isAlpine = tree.exists("/etc/alpine-release")
        let alpine = runs(alpineFiles(tree), program)
        // OpenRC's own for what is not procps: nothing at all without /etc/sysctl.conf.
        let plain =
            tree.exists("/etc/sysctl.conf")
            ? runs(["/etc/sysctl.conf"] + glob("/etc/sysctl.d", tree), program) : []
        if occurs("due to /run/sysctl.d/", in: text) { return [alpine] }
        let isLoop = occurs("for i in /run/sysctl.d/*.conf", in: text)
        let hasPlain = occurs("BSD_sysctl", in: text)
        if hasPlain && program == .busybox { return [plain] }
        if isLoop { return [runs(inTurn(["/run", "/etc", "/usr/local/lib", "/usr/lib", "/lib"], tree), program)] }
        if occurs("--system", in: text) { return [program == .busybox ? [] : system] }
        if isAlpine { return [alpine, program == .busybox ? plain : system] }
        return [program == .busybox ? plain : system]
    }

    /// Alpine's script: what packages bring first, /run last; names in /etc and /run hide theirs, those in /run /etc's.
    private static func alpineFiles(_ tree: FileTree) -> [String] {
        func kept(_ folder: String, hiddenBy others: [String]) -> [String] {
            glob(folder + "/sysctl.d", tree).filter { file in
                let name = file.split(separator: "/").last.map(String.init) ?? ""
                return !others.contains { tree.exists("\($0)/sysctl.d/\(name)") }
            }
        }
        return kept("/lib", hiddenBy: ["/etc", "/run"]) + kept("/usr/lib", hiddenBy: ["/etc", "/run"])
            + kept("/etc", hiddenBy: ["/run"]) + ["/etc/sysctl.conf"] + kept("/run", hiddenBy: [])
    }

    // MARK: OpenWrt

    /// /etc/sysctl.conf comes last since 18.06, and came first before.
    private static func openWrt(_ tree: FileTree) -> BootSysctl {
        let text = tree.text("/etc/init.d/sysctl") ?? ""
        let (last, first) = (
            glob("/etc/sysctl.d", tree) + ["/etc/sysctl.conf"], ["/etc/sysctl.conf"] + glob("/etc/sysctl.d", tree)
        )
        let program = SysctlProgram(of: tree, initSystem: .openwrt)
        var ways = [runs(last, program), runs(first, program)]
        if occurs("/etc/sysctl.d/*.conf /etc/sysctl.conf", in: text) { ways.removeLast() }
        if occurs("/etc/sysctl.conf /etc/sysctl.d/*.conf", in: text) { ways.removeFirst() }
        let link = link("/etc/rc.d", ["sysctl"], tree)
        return BootSysctl(
            "OpenWrt's /etc/init.d/sysctl", isEnabled: tree.isFolder("/etc/rc.d") ? link != nil : true,
            evidence: link.map { Evidence(file: $0.path, text: "") }, ways: ways)
    }

    // MARK: Others

    /// void-runit's core service.
    private static func runit(_ tree: FileTree) -> BootSysctl {
        let script = "/etc/runit/core-services/08-sysctl.sh"
        let text = tree.text(script) ?? ""
        let folders = ["/run", "/etc", "/usr/local/lib", "/usr/lib"]
        // In between it linked the files to a folder of its own, to have them in the order of their names.
        let isLoop = occurs("for i in /run/sysctl.d/*.conf", in: text) && !occurs("vsysctl.d", in: text)
        return BootSysctl(
            "runit's 08-sysctl.sh", isEnabled: tree.exists(script),
            evidence: Evidence(file: script, text: ""), ways: [isLoop ? runs(inTurn(folders, tree), .procps) : system])
    }

    /// Ubuntu's job: `cat /etc/sysctl.d/*.conf /etc/sysctl.conf | sysctl -e -p -`, early and again with the network.
    private static func upstart(_ tree: FileTree) -> BootSysctl {
        let job = "/etc/init/procps.conf"
        let isManual = (tree.text("/etc/init/procps.override") ?? "").split(whereSeparator: \.isNewline)
            .contains { String($0).trimmed == "manual" }
        let files = glob("/etc/sysctl.d", tree) + ["/etc/sysctl.conf"]
        return BootSysctl(
            "upstart's procps job", isEnabled: isManual ? false : !tree.isFolder("/etc/init") || tree.exists(job),
            evidence: Evidence(file: job, text: ""), ways: [[SysctlRun(reader: .procps, files: files)]])
    }

    /// Debian's script, since 7; Debian 6 gave it /etc/sysctl.conf and sysctl.d.
    private static func sysvinit(_ tree: FileTree) -> BootSysctl {
        let link = link("/etc/rcS.d", ["procps", "procps.sh"], tree)
        let text = tree.text("/etc/init.d/procps") ?? ""
        let plain = runs(["/etc/sysctl.conf"] + glob("/etc/sysctl.d", tree), .procps)
        let isSystem = text.isEmpty || occurs("--system", in: text)
        return BootSysctl(
            "the procps start script", isEnabled: tree.isFolder("/etc/rcS.d") ? link != nil : nil,
            evidence: Evidence(file: link?.path ?? "/etc/init.d/procps", text: ""),
            ways: isSystem ? [system] : [plain, Array(plain.reversed())])
    }

    /// Buildroot's S02sysctl takes the files of a folder as find(1) does, in no order.
    private static func buildroot(_ tree: FileTree, _ program: SysctlProgram) -> BootSysctl {
        let link = link("/etc/init.d", ["sysctl"], tree)
        let folders = ["/etc", "/usr/local/lib", "/usr/lib", "/lib"]
        let others = folders.flatMap { glob($0 + "/sysctl.d", tree).reversed() } + ["/etc/sysctl.conf"]
        return BootSysctl(
            "the sysctl start script", isEnabled: link != nil,
            evidence: link.map { Evidence(file: $0.path, text: "") },
            ways: [runs(inTurn(folders, tree), program), runs(others, program)])
    }

    // MARK: Parts

    private static let system = [SysctlRun(reader: .procps)]

    private static func runs(_ files: [String], _ program: SysctlProgram) -> [SysctlRun] {
        files.map { SysctlRun(reader: program.reader, files: [$0]) }
    }

    /// All of a folder, then all of the next; /etc/sysctl.conf last.
    private static func inTurn(_ folders: [String], _ tree: FileTree) -> [String] {
        folders.flatMap { glob($0 + "/sysctl.d", tree) } + ["/etc/sysctl.conf"]
    }

    /// FOLDER/*.conf as a shell has it: by name, hidden ones not.
    private static func glob(_ folder: String, _ tree: FileTree) -> [String] {
        (tree.names(in: folder) ?? []).filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }
    }

    /// S10NAME in a folder of start links, and its number.
    static func link(_ folder: String, _ names: [String], _ tree: FileTree) -> (path: String, number: Int)? {
        for name in tree.names(in: folder) ?? [] where name.hasPrefix("S") {
            let digits = name.dropFirst().prefix(while: \.isNumber)
            guard let number = Int(digits), names.contains(String(name.dropFirst(1 + digits.utf8.count))) else {
                continue
            }
            return ("\(folder)/\(name)", number)
        }
        return nil
    }
}
