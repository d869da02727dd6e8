// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension DoctorFacts {
    /// What on this host chooses a limit: its kernel, and the programs seen on it.
    var limitOrigin: LimitOrigin {
        LimitOrigin(
            memory: memory, release: release, cores: cores, hashsize: loadHashsize,
            hasKubeProxy: timeline.writers.contains { $0.findingID == "kube_proxy_writes" })
    }
}

extension LimitOrigin {
    /// Looks at a host, or a saved one. Takes milliseconds: it asks the processes, and reads all configuration.
    package static func ofHost(_ paths: HostPaths) -> LimitOrigin {
        DoctorFacts(paths).limitOrigin
    }
}
