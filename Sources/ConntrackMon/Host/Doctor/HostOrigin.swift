// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension DoctorFacts {
    /// Who chose the live limit, by its number. What is configured is eight times the hash size by chance.
    var limitGuess: LimitOrigin.Guess? {
        guard let limit, let guess = limitOrigin.guess(limit: limit, buckets: buckets) else { return nil }
        if case .hashsize = guess, configuration["nf_conntrack_max"]?.number == limit { return nil }
        return guess
    }

    /// What on this host chooses a limit: its kernel, and the programs seen on it.
    var limitOrigin: LimitOrigin {
        LimitOrigin(
            memory: memory, release: release, hashsize: loadHashsize,
            programs: timeline.writers.compactMap { LimitProgram($0, timeline.era) })
    }
}

extension LimitProgram {
    /// nil for what has no settings of its own, or leaves the limit alone.
    init?(_ writer: Writer, _ era: KernelEra) {
        guard let cure = writer.cure, writer.comesAgain else { return nil }
        let writes = writer.acts.compactMap { act in
            if case .write(let write) = act, write.key == "nf_conntrack_max" { write } else { nil }
        }
        guard let write = writes.last else { return nil }
        let (value, onlyRaises): (UInt64?, Bool) =
            switch write.change {
            case .set(let number): (era.taken(number, as: write.key), false)
            case .raise(let number): (era.taken(number, as: write.key), true)
            case .unknown: (nil, false)
            }
        self.init(
            name: writer.name, value: value, onlyRaises: onlyRaises,
            isCertain: writer.certainty == .certain && write.certainty == .certain,
            isRepeated: writer.when == .always, cure: cure)
    }
}

extension LimitOrigin {
    /// Looks at a host, or a saved one. Takes milliseconds: it asks the processes, and reads all configuration.
    package static func ofHost(_ paths: HostPaths) -> LimitOrigin {
        DoctorFacts(paths).limitOrigin
    }
}
