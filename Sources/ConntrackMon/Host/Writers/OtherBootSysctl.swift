// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What applies sysctl configuration at boot where systemd and EL6's start scripts do not.
enum OtherBootSysctl {
    static func all(_ sources: WriterSources) -> [Writer] {
        guard let boot = BootSysctl(sources.initSystem, in: sources.tree), boot.isEnabled != false else { return [] }
        let acts = merged(boot.ways.map { way in way.flatMap { $0.acts(in: sources) } })
        guard let evidence = boot.evidence ?? acts.lazy.compactMap(\.evidence).first else { return [] }
        return acts.isEmpty
            ? []
            : [
                Writer(
                    name: boot.name, when: .boot, acts: acts, evidence: evidence,
                    certainty: boot.isEnabled == nil ? .may : .certain)
            ]
    }

    /// The acts of the first way. Where ways end with other values for a setting, what sets it only may.
    static func merged(_ ways: [[Writer.Act]]) -> [Writer.Act] {
        guard let first = ways.first else { return [] }
        let ends = ways.map(ends(of:))
        return first.map { act in
            guard case .write(var write) = act, ends.contains(where: { $0[write.key] != ends[0][write.key] }) else {
                return act
            }
            write.certainty = min(write.certainty, .may)
            return .write(write)
        }
    }

    private static func ends(of acts: [Writer.Act]) -> [String: Write.Change] {
        acts.reduce(into: [:]) { ends, act in
            if case .write(let write) = act { ends[write.key] = write.change }
        }
    }
}
