// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a person of this host writes, and where: it depends on what starts the host, and on its programs.
struct HostCures: Equatable, Sendable {
    /// Where a setting stands.
    let sysctlFile: String
    /// What puts settings back after each load of the module, by the last module that brings some.
    private let restore: [String: String]
    /// What has a module loaded before the boot applies settings.
    private let bootLoad: [String: String]
    /// What has the boot apply settings at all; nil where it does.
    let bootSysctl: String?

    init(_ initSystem: InitSystem, in tree: FileTree) {
        let modules = ["nf_conntrack", "nf_conntrack_ipv4", "nf_conntrack_ipv6"]
        sysctlFile = initSystem.sysctlFile
        restore = Dictionary(uniqueKeysWithValues: modules.map { ($0, initSystem.restoreCure(after: $0, in: tree)) })
        bootLoad = Dictionary(uniqueKeysWithValues: modules.map { ($0, initSystem.bootLoadCure($0, in: tree)) })
        bootSysctl = initSystem.bootSysctlCure(in: tree)
    }

    func restore(after module: String) -> String { restore[module] ?? restore[KernelEra.core] ?? "" }
    func bootLoad(_ module: String) -> String { bootLoad[module] ?? bootLoad[KernelEra.core] ?? "" }
}
