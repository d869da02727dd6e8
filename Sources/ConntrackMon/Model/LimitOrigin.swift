// SPDX-License-Identifier: GPL-3.0-or-later

/// What a host has that chooses a value of nf_conntrack_max; from it a value tells where it comes from. A plain value:
/// hosts that are the same in this are equal.
public struct LimitOrigin: Equatable, Sendable {
    /// MemTotal, in bytes; nil where it is not known.
    public var memory: UInt64?
    /// The kernel's version; nil where it is not known.
    public var release: KernelRelease?
    /// The hash size that is given at load; nil when none is.
    public var hashsize: UInt64?
    /// The programs that were seen here, and set the limit by settings of their own.
    public var programs: [LimitProgram] = []

    /// Facts about a host; those left out are not known.
    public init(
        memory: UInt64? = nil, release: KernelRelease? = nil, hashsize: UInt64? = nil,
        programs: [LimitProgram] = []
    ) {
        self.memory = memory
        self.release = release
        self.hashsize = hashsize
        self.programs = programs
    }

    /// Who or what chose a limit, by its number.
    public enum Guess: Equatable, Sendable {
        /// Eight times the hash size that is configured to be given at load.
        case givenHashsize(UInt64)
        /// The kernel's own choice for this much memory, in bytes.
        case kernelDefault(memory: UInt64)
        /// One of the two that EL7's kernels have above 4 GiB.
        case el7Default
        /// The value of a program that is here.
        case program(LimitProgram)
        /// Eight times the live hash size, as a load with it as parameter leaves it.
        case hashsize(UInt64)

        /// For a line's parentheses.
        public var text: String {
            switch self {
            case .givenHashsize(let size): "8 x hashsize, which is given as \(size) at load"
            case .kernelDefault(let memory): "this kernel's default for \(KernelDefaults.size(memory)) of memory"
            case .el7Default: "a default of EL7's kernels"
            case .program(let program): "\(program.name)'s value"
            case .hashsize(let size): "8 x hashsize \(size), as a load with it gives"
            }
        }
    }

    /// What `limit` looks like beside so many buckets; nil when it looks like nobody's. A program that is here and sets just
    /// that goes before the kernel's default: what is written instead does not stay.
    public func guess(limit: UInt64, buckets: UInt64?) -> Guess? {
        if let program = programs.first(where: { $0.value == limit && limit != 0 }) { return .program(program) }
        return KernelDefaults.recognise(
            limit: limit, buckets: buckets, memory: memory, release: release, hashsize: hashsize)
    }
}
