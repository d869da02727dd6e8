// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// OpenVZ and Virtuozzo, whose kernels have two limits: net.nf_conntrack_max for the whole node, and
/// net.netfilter.nf_conntrack_max for each container, which is no higher (OpenVZ's user's guide, "Using conntrack Rules and
/// NAT Tables").
enum OpenVZ: Equatable, Sendable {
    case node, container

    /// nil for any other kernel. /proc/bc is the node's alone.
    init?(_ procfs: FileTree) {
        guard procfs.exists("/vz") || procfs.exists("/user_beancounters") else { return nil }
        self = procfs.exists("/bc") ? .node : .container
    }

    /// What is to be said of its limits.
    var words: String {
        switch self {
        case .node:
            "net.netfilter.nf_conntrack_max limits each container of this OpenVZ node, net.nf_conntrack_max the node"
        case .container:
            "the limit of an OpenVZ container is set on its node and cannot be foretold from within"
        }
    }
}

/// The node of an OpenVZ container, which sets the container's limit when and as it likes.
enum OpenVZWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        guard OpenVZ(sources.procfs) == .container else { return [] }
        let file = sources.procfs.exists("/user_beancounters") ? "/proc/user_beancounters" : "/proc/vz"
        return [
            Writer(
                name: "the OpenVZ node", when: .always,
                acts: [.write(Write(key: "nf_conntrack_max", change: .unknown))],
                evidence: Evidence(file: file, line: nil, text: ""), certainty: .may,
                cure: "ask whoever runs the node: sysctl -w net.netfilter.nf_conntrack_max there")
        ]
    }
}
