// SPDX-License-Identifier: GPL-3.0-or-later

extension LimitOrigin {
    /// Recognises the values that this host's kernel and the programs seen on it choose.
    static func ofHost(root: String, procfs: String, sysfs: String) -> LimitOrigin {
        let facts = DoctorFacts(root: root, procfs: procfs, sysfs: sysfs)
        let (memory, release, cores, hashsize) = (facts.memory, facts.release, facts.cores, facts.loadHashsize)
        let hasKubeProxy = facts.programs.kubeProxy != nil
        return LimitOrigin { limit, buckets in
            let text = KernelDefaults.recognise(
                limit: limit, buckets: buckets, memory: memory, release: release, cores: cores, hashsize: hashsize)
            let isKubeProxy = hasKubeProxy && text?.hasPrefix("kube-proxy") == true
            let setting = "kube-proxy's --conntrack-max-per-core and --conntrack-min"
            return text.map { Guess(text: $0, setting: isKubeProxy ? setting : nil) }
        }
    }
}
