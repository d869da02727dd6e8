// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What becomes of a host's settings: its writers, applied to the kernel's defaults in the order of a scenario. Pure.
struct Timeline: Sendable {
    let era: KernelEra
    let writers: [Writer]
    /// The settings to foretell.
    let names: [String]

    /// - Parameter names: The settings to foretell; those that somebody writes come by themselves.
    init(_ era: KernelEra, writers: [Writer], names: some Sequence<String>) {
        (self.era, self.writers) = (era, writers)
        let written = writers.flatMap(\.acts).compactMap { act in
            if case .write(let write) = act { write.key } else { nil }
        }
        self.names = Set(names).union(written).sorted(by: FileTree.isBefore)
    }

    private var kernel: SimulatedKernel { SimulatedKernel(era, writers: writers, names: names) }

    /// The module was unloaded, and a rule loads it.
    func loadedByRule() -> SimulatedKernel {
        var kernel = kernel
        kernel.load(nil)
        kernel.run { $0 == .always }
        return kernel
    }

    /// A firewall that unloads the module stops and starts.
    /// - Parameter kinds: Which; an empty set is any of the host's.
    func restarted(_ kinds: Set<FirewallService.Kind>) -> SimulatedKernel {
        var kernel = kernel
        kernel.load(nil)
        kernel.run { $0.isStart(of: kinds) }
        kernel.run { $0 == .always }
        return kernel
    }

    /// One of these firewalls stops and starts, and the module stays loaded meanwhile.
    func restarted(_ kinds: Set<FirewallService.Kind>, keeping live: [String: UInt64]) -> SimulatedKernel {
        var kernel = kernel
        kernel.begin(with: live)
        kernel.run { $0.isStart(of: kinds) }
        return kernel
    }

    /// The host boots.
    func booted() -> SimulatedKernel {
        let certain = booted(withDoubtful: true)
        // What only may load the module decides whether sysctl configuration finds it.
        guard writers.contains(where: { $0.when == .early && $0.certainty != .certain }) else { return certain }
        var both = booted(withDoubtful: false)
        both.join(certain)
        return both
    }

    private func booted(withDoubtful: Bool) -> SimulatedKernel {
        var kernel = kernel
        for (index, writer) in writers.enumerated()
        where writer.when == .early && (withDoubtful || writer.certainty == .certain) {
            kernel.run(index)
        }
        kernel.run { $0 == .boot }
        // A firewall's rules, if nothing before them: this host tracks connections.
        kernel.load(nil)
        kernel.run { $0.isStart(of: []) }
        kernel.run { $0 == .late }
        kernel.run { $0 == .always }
        return kernel
    }

    /// One program is restarted on the running host.
    func restarted(program index: Int, on live: [String: UInt64]) -> SimulatedKernel {
        var kernel = kernel
        kernel.begin(with: live)
        kernel.run(index)
        kernel.run { $0 == .always }
        return kernel
    }
}

extension Writer.Moment {
    /// Whether it comes with the start of one of these firewalls, or of any.
    fileprivate func isStart(of kinds: Set<FirewallService.Kind>) -> Bool {
        guard case .firewall(let kind) = self else { return false }
        return kinds.isEmpty || kind.map(kinds.contains) ?? true
    }
}
