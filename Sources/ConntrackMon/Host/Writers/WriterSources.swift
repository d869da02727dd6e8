// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What writers are looked for in: the files and processes of a host, and what is known of its kernel.
struct WriterSources: Sendable {
    let tree: FileTree
    let procfs: FileTree
    let release: KernelRelease?
    let cores: Int?
    /// The settings there are.
    let names: SettingNames
    /// Which program starts the host.
    let initSystem: InitSystem
    let processes: Processes
    /// What is left of the work that scripts may make.
    let shell = ShellBudget()

    init(tree: FileTree, procfs: FileTree, release: KernelRelease?, cores: Int?, names: SettingNames) {
        (self.tree, self.procfs, self.release, self.cores, self.names) = (tree, procfs, release, cores, names)
        initSystem = InitSystem(of: tree, procfs: procfs)
        processes = Processes(procfs)
    }
}
