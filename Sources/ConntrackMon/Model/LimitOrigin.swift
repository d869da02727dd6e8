// SPDX-License-Identifier: GPL-3.0-or-later

/// What a host has that chooses a value of nf_conntrack_max; from it a value tells where it comes from. A plain value:
/// hosts that are the same in this are equal.
public struct LimitOrigin: Equatable, Sendable {
    /// MemTotal, in bytes; nil where it is not known.
    public var memory: UInt64?
    /// The kernel's version; nil where it is not known.
    public var release: KernelRelease?
    /// Processors; nil where they are not known.
    public var cores: Int?
    /// The hash size that is given at load; nil when none is.
    public var hashsize: UInt64?
    /// kube-proxy was seen here, and writes its value again and again.
    public var hasKubeProxy = false

    /// Facts about a host; those left out are not known.
    public init(
        memory: UInt64? = nil, release: KernelRelease? = nil, cores: Int? = nil, hashsize: UInt64? = nil,
        hasKubeProxy: Bool = false
    ) {
        self.memory = memory
        self.release = release
        self.cores = cores
        self.hashsize = hashsize
        self.hasKubeProxy = hasKubeProxy
    }

    /// Who or what chose a limit, by its number.
    public enum Guess: Equatable, Sendable {
        /// Eight times the hash size that is configured to be given at load.
        case givenHashsize(UInt64)
        /// The kernel's own choice for this much memory, in bytes.
        case kernelDefault(memory: UInt64)
        /// One of the two that EL7's kernels have above 4 GiB.
        case el7Default
        /// kube-proxy's choice.
        case kubeProxy(KubeProxyValue)
        /// Eight times the live hash size, as a load with it as parameter leaves it.
        case hashsize(UInt64)

        /// For a line's parentheses.
        public var text: String {
            switch self {
            case .givenHashsize(let size): "8 x hashsize, which is given as \(size) at load"
            case .kernelDefault(let memory): "this kernel's default for \(KernelDefaults.size(memory)) of memory"
            case .el7Default: "a default of EL7's kernels"
            case .kubeProxy(let value): value.text
            case .hashsize(let size): "8 x hashsize \(size), as a load with it gives"
            }
        }
    }

    /// Which of kube-proxy's values a limit is.
    public enum KubeProxyValue: Equatable, Sendable {
        /// --conntrack-max-per-core for each of so many cores.
        case perCore(cores: Int)
        /// --conntrack-min.
        case minimum
        /// The cap that 1.36 brought.
        case maximum

        package var text: String {
            switch self {
            case .perCore(let cores): "kube-proxy's value (32768 x \(cores) cores)"
            case .minimum: "kube-proxy's minimum"
            case .maximum: "kube-proxy's maximum"
            }
        }
    }

    /// What `limit` looks like beside so many buckets; nil when it looks like nobody's.
    public func guess(limit: UInt64, buckets: UInt64?) -> Guess? {
        KernelDefaults.recognise(
            limit: limit, buckets: buckets, memory: memory, release: release, cores: cores, hashsize: hashsize)
    }

    /// The setting to change instead of the sysctl, where a program that is here would write that again; else nil.
    public func setting(behind guess: Guess?) -> String? {
        guard hasKubeProxy, case .kubeProxy = guess else { return nil }
        return "kube-proxy's --conntrack-max-per-core and --conntrack-min"
    }
}
