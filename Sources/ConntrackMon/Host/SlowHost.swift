// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Answers what lies in file systems that may hang, or takes longer than a moment: the configuration, the programs, the
/// doctor. For a thread of its own.
package struct SlowHost: Sendable {
    private let paths: HostPaths
    /// Settings other than the limit belong to one network namespace; sysctl.d is about the initial one.
    private let isInitialNamespace: Bool

    /// Reads nothing yet.
    package init(_ paths: HostPaths, isInitialNamespace: Bool) {
        self.paths = paths
        self.isInitialNamespace = isInitialNamespace
    }

    /// A reading; nil for what is not asked here, or where no configuration is about this host.
    package func read(_ want: Want) -> Reading? {
        // Where it is not nil it is the root.
        guard let root = paths.configurationRoot else { return nil }
        switch want {
        case .configuration:
            return .configuration(
                ConfiguredSettings(
                    SysctlConfiguration(FileTree(root: root), release: KernelRelease.ofHost(paths)),
                    withParameters: isInitialNamespace))
        case .origin:
            return .origin(.ofHost(paths))
        case .doctor:
            return .doctor(Doctor.examine(paths))
        case .settings, .kernel, .log, .health, .survey:
            return nil
        }
    }
}

extension ConfiguredSettings {
    /// What `configuration` asks for.
    init(_ configuration: SysctlConfiguration, withParameters: Bool) {
        self.init(limit: ConfiguredLimit(configuration))
        guard withParameters else { return }
        for value in configuration.all where value.key != "nf_conntrack_max" {
            guard let number = value.number else { continue }
            let prefix = "nf_conntrack_"
            let name = value.key.hasPrefix(prefix) ? String(value.key.dropFirst(prefix.count)) : value.key
            parameters[name] = ConfiguredParameter(value: number, place: value.place)
        }
    }
}

extension ConfiguredLimit {
    init?(_ configuration: SysctlConfiguration) {
        guard let value = configuration["nf_conntrack_max"], let number = value.number else { return nil }
        self.init(limit: number, place: value.place)
    }
}
