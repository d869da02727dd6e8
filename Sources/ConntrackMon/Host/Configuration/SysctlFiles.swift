// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Who applies sysctl configuration, and which files in which order.
enum SysctlReader: Equatable, Sendable {
    /// systemd-sysctl, at boot.
    case systemd
    /// EL5's and EL6's start scripts, at boot: /etc/sysctl.conf, then all of /etc/sysctl.d, each by `sysctl -e -p`.
    case initscripts
    /// `sysctl --system` of procps, by hand or by a script.
    case procps

    /// Who does it at boot on the host whose files these are.
    static func atBoot(of tree: FileTree) -> SysctlReader {
        tree.exists("/etc/rc.d/rc.sysinit") && !hasSystemd(tree) ? .initscripts : .systemd
    }

    /// Whether something of systemd's is there.
    static func hasSystemd(_ tree: FileTree) -> Bool {
        ["/usr/lib/systemd", "/lib/systemd", "/etc/systemd", "/run/systemd"].contains(where: tree.exists)
    }

    /// The files in the order in which they are read.
    func files(in tree: FileTree) -> [String] {
        switch self {
        case .systemd: return dropIns(directories(of: tree), in: tree)
        case .initscripts: return ["/etc/sysctl.conf"] + SysctlReader.all(of: "/etc/sysctl.d", in: tree)
        case .procps: return dropIns(directories(of: tree), in: tree) + ["/etc/sysctl.conf"]
        }
    }

    /// `/etc/sysctl.d/*` as EL6's apply_sysctl takes it: whatever it is called, but what editors and rpm leave behind.
    private static func all(of folder: String, in tree: FileTree) -> [String] {
        let left = ["~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave"]
        return (tree.names(in: folder) ?? []).filter { name in
            !name.hasPrefix(".") && !left.contains(where: name.hasSuffix) && !tree.isFolder("\(folder)/\(name)")
        }.map { "\(folder)/\($0)" }
    }

    /// The folders of drop-ins, what hides before what is hidden.
    func directories(of tree: FileTree) -> [String] {
        let folders = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"]
        // Where /lib is a link to usr/lib this is the folder before it.
        return tree.isLink("/lib") ? folders : folders + ["/lib/sysctl.d"]
    }

    /// *.conf of all folders by name; a name in an earlier folder hides the same in a later one, whatever it holds.
    /// procps reads hidden files too.
    private func dropIns(_ folders: [String], in tree: FileTree) -> [String] {
        var paths: [String: String] = [:]
        for folder in folders {
            for name in tree.names(in: folder) ?? [] where name.hasSuffix(".conf") {
                if paths[name] == nil, self == .procps || !name.hasPrefix(".") { paths[name] = folder + "/" + name }
            }
        }
        return paths.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value)
    }
}

/// All assignments a reader makes, in the order in which it makes them.
struct SysctlPlan {
    /// An assignment and the file it stands in.
    struct Step {
        var assignment: SysctlAssignment
        var file: String
        /// Whether the reader makes it for sure.
        var certainty = Certainty.certain
    }

    private(set) var steps: [Step] = []
    /// The steps of each key.
    private var named: [String: [Int]] = [:]
    private var globs: [(index: Int, patterns: [String])] = []
    private var explicit: [String: Int] = [:]
    /// systemd-sysctl keeps one assignment a key: a different value goes to the end of the order, the same one stays.
    private let keepsOne: Bool
    /// More globs about conntrack no host has; each is looked at for each setting.
    private static let globLimit = 256

    init(keepsOne: Bool) {
        self.keepsOne = keepsOne
    }

    mutating func add(_ assignment: SysctlAssignment, from file: String, certainty: Certainty = .certain) {
        let key = assignment.key
        if keepsOne, let index = explicit[key] {
            // What was overwritten stays as a step without a value, so that no index moves.
            if steps[index].assignment.value == assignment.value { return }
            steps[index].assignment.value = nil
        }
        if assignment.shields { explicit[key] = steps.count }
        if assignment.isGlob {
            // systemd-sysctl has its globs take braces (252, tried); a key with nothing but braces is none.
            let patterns = keepsOne ? braceAlternatives(of: key) : [key]
            if globs.count < SysctlPlan.globLimit { globs.append((steps.count, patterns)) }
        } else {
            named[key, default: []].append(steps.count)
        }
        steps.append(Step(assignment: assignment, file: file, certainty: certainty))
    }

    /// The steps that set the sysctl at any of `paths`, which are names of one and the same value, in their order.
    func indices(for paths: [String]) -> [Int] {
        var found = paths.flatMap { named[$0] ?? [] }
        // A key that is named anywhere, be it to exclude it, is no longer taken by globs.
        let open = globs.isEmpty ? [] : paths.filter { explicit[$0] == nil }
        if !open.isEmpty {
            let reaching = globs.filter { glob in
                open.contains { path in glob.patterns.contains { globMatches($0, path) } }
            }
            found += reaching.map(\.index)
        }
        return found.filter { steps[$0].assignment.value != nil }.sorted()
    }

    /// The last step for the sysctl at any of `paths`; of those with a value that `isWanted`.
    func last(for paths: [String], where isWanted: (String) -> Bool = { _ in true }) -> Step? {
        indices(for: paths).last { steps[$0].assignment.value.map(isWanted) ?? false }.map { steps[$0] }
    }
}
