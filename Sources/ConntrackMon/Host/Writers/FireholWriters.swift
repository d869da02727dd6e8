// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// FireHOL, which loads nf_conntrack and sets what its variables say each time it starts (firehol of 3.1.7).
enum FireholWriters {
    private static let config = "/etc/firehol/firehol.conf"
    private static let variables = "/etc/firehol/firehol-defaults.conf"

    static func all(_ sources: WriterSources) -> [Writer] {
        guard sources.tree.exists(config), let certainty = certainty(sources.tree) else { return [] }
        var acts: [Writer.Act] = [.load(module: "nf_conntrack", nil)]
        acts += [
            ("FIREHOL_CONNTRACK_LOOSE_MATCHING", "nf_conntrack_tcp_loose"),
            ("FIREHOL_CONNTRACK_MAX", "nf_conntrack_max"),
            ("FIREHOL_CONNTRACK_HASHSIZE", "nf_conntrack_buckets"),
        ].compactMap { name, key in
            guard let setting = setting(name, sources.tree), let number = SysctlSyntax.number(setting.value),
                number <= UInt64(Int32.max)
            else { return nil }
            return .set(key, number, setting.evidence)
        }
        // Its own default is "kernel".
        let helpers = setting("FIREHOL_CONNTRACK_HELPERS_ASSIGNMENT", sources.tree)
        let isKernel = helpers.map { $0.value == "kernel" } ?? true
        acts.append(.set("nf_conntrack_helper", isKernel ? 1 : 0, helpers?.evidence))
        return [
            Writer(
                name: "firehol", when: .late, acts: acts, evidence: Evidence(file: config, text: ""),
                certainty: certainty, isService: true, cure: "set FIREHOL_CONNTRACK_MAX in \(variables)")
        ]
    }

    /// The configuration is a script that may set the variables too, after the file for them.
    private static func setting(_ name: String, _ tree: FileTree) -> ShellAssignment? {
        ShellAssignment.last(name, in: config, of: tree) ?? ShellAssignment.last(name, in: variables, of: tree)
    }

    /// nil where it is not started. START_FIREHOL is for the init script; the unit does not ask it.
    private static func certainty(_ tree: FileTree) -> Certainty? {
        switch ServiceState.isEnabled("firehol", in: tree) {
        case true?: return .certain
        case false?: return nil
        case nil:
            let start = ShellAssignment.last("START_FIREHOL", in: "/etc/default/firehol", of: tree)?.value
            return start?.lowercased() == "yes" ? .may : nil
        }
    }
}
