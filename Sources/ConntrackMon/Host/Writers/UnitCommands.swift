// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a host changes in the commands of a unit that its distribution brings: a unit of its own under /etc, drop-ins.
struct UnitCommands {
    typealias Line = (command: String, evidence: Evidence)

    /// ExecStartPre, ExecStart and ExecStartPost. No ExecStart is the distribution's own.
    private(set) var before: [Line] = []
    private(set) var main: [Line] = []
    private(set) var after: [Line] = []
    /// An ExecStart of nothing took the distribution's away.
    private(set) var isReset = false

    var isChanged: Bool { isReset || !(before.isEmpty && main.isEmpty && after.isEmpty) }

    init(_ unit: String, in tree: FileTree) {
        let folders = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"]
        if let own = folders.dropLast().map({ "\($0)/\(unit)" }).first(where: tree.exists) {
            isReset = true
            read(own, in: tree)
        }
        var dropIns: [String: String] = [:]
        for folder in folders.map({ "\($0)/\(unit).d" }) {
            for name in tree.names(in: folder) ?? [] where name.hasSuffix(".conf") && dropIns[name] == nil {
                dropIns[name] = "\(folder)/\(name)"
            }
        }
        for (_, file) in dropIns.sorted(by: { FileTree.isBefore($0.key, $1.key) }) { read(file, in: tree) }
    }

    private mutating func read(_ file: String, in tree: FileTree) {
        for (number, line) in ModuleConfiguration.lines(of: file, in: tree) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            // Whether a failure counts, and by whom it is run, changes nothing in what it does.
            let command = String(line[line.index(after: equals)...]).trimmed.drop { "-@:+!".contains($0) }
            let found = Line(String(command), Evidence(file: file, line: number, text: line))
            switch String(line[..<equals]).trimmed {
            case "ExecStart":
                isReset = isReset || command.isEmpty
                main = command.isEmpty ? [] : main + [found]
            case "ExecStartPre": before = command.isEmpty ? [] : before + [found]
            case "ExecStartPost": after = command.isEmpty ? [] : after + [found]
            default: break
            }
        }
    }
}
