// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// coroot-node-agent, which sets nf_conntrack_events to 1 in the host's network namespace when it starts (its
/// ebpftracer/tracer.go, ensureConntrackEventsAreEnabled), from a container as well.
enum CorootWriters {
    private static let program = "coroot-node-agent"
    private static let unit = "/etc/systemd/system/coroot-node-agent.service"

    static func all(_ sources: WriterSources) -> [Writer] {
        guard let evidence = evidence(sources) else { return [] }
        return [
            Writer(
                name: program, when: .late, acts: [.set("nf_conntrack_events", 1)], evidence: evidence,
                isService: true, cure: "nothing: \(program) has no option against it")
        ]
    }

    private static func evidence(_ sources: WriterSources) -> Evidence? {
        for process in sources.processes.named(program) {
            let words = sources.processes.words(of: process)
            guard words.first?.split(separator: "/").last.map(String.init) == program else { continue }
            return Evidence(file: "/proc/\(process.id)/cmdline", text: words.joined(separator: " "))
        }
        guard ServiceState.isEnabled(program, in: sources.tree) == true, sources.tree.exists(unit) else { return nil }
        return Evidence(file: unit, text: "enabled")
    }
}
