// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension DoctorFacts {
    /// What on this host chooses a limit: its kernel, and the programs seen on it.
    var limitOrigin: LimitOrigin {
        LimitOrigin(
            memory: memory, release: release, cores: cores, hashsize: loadHashsize,
            hasKubeProxy: programs.kubeProxy != nil)
    }
}

extension LimitOrigin {
    /// Looks at a host, or a saved one. Takes milliseconds: it asks the processes, and reads all configuration.
    package static func ofHost(root: String, procfs: String, sysfs: String) -> LimitOrigin {
        DoctorFacts(root: root, procfs: procfs, sysfs: sysfs).limitOrigin
    }
}
