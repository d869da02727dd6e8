// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A kernel to which the writers of a host do what they do. Pure.
struct SimulatedKernel {
    /// A write that found no setting to write to, since its module was not loaded.
    struct Missed: Equatable {
        var key: String
        var writer: Int
        var evidence: Evidence
    }

    private let era: KernelEra
    private let writers: [Writer]
    /// Every setting that is asked about, or written by somebody.
    private let names: [String]
    private(set) var settings: [String: Foretold] = [:]
    private(set) var missed: [Missed] = []
    private var loaded: Set<String> = []
    /// Modules of which a load is under way: their install lines call modprobe again.
    private var loading: Set<String> = []

    /// One without the module; with all settings at their defaults where it is a part of the kernel.
    init(_ era: KernelEra, writers: [Writer], names: [String]) {
        (self.era, self.writers, self.names) = (era, writers, names)
        if era.isBuiltIn { insert(KernelEra.core) }
    }

    var isLoaded: Bool { loaded.contains(KernelEra.core) }

    /// Begins with what is live.
    mutating func begin(with live: [String: UInt64]) {
        for (name, value) in live { settings[name] = Foretold(name, [value], by: .init(name: "what is live")) }
        loaded.formUnion(era.modules)
        loaded.insert(KernelEra.core)
    }

    // MARK: Modules

    /// Loads what `module` brings; nil: what the rules of a firewall load.
    mutating func load(_ module: String?) {
        guard !era.isBuiltIn else { return }
        let parts = era.parts(of: module).filter { !loaded.contains($0) && !loading.contains($0) }
        loading.formUnion(parts)
        for part in parts {
            let hooks = writers.indices.filter { writers[$0].when == .load(of: part) }
            let loadsItself = hooks.contains { writers[$0].acts.contains { $0.module == part } }
            if !loadsItself { insert(part) }
            for index in hooks { run(index, during: part) }
        }
        loading.subtract(parts)
        for part in parts {
            for index in writers.indices where writers[index].when == .uevent(of: part) { run(index, after: part) }
        }
    }

    /// Takes the module away, and all that was set.
    mutating func unload() {
        guard !era.isBuiltIn else { return }
        (settings, loaded) = ([:], [])
    }

    private mutating func insert(_ part: String) {
        guard loaded.insert(part).inserted else { return }
        for name in names where era.brings(part, name) && era.exists(name) && settings[name] == nil {
            settings[name] = era.fresh(name)
        }
    }

    /// Loads nf_conntrack with a hash size: the kernel makes a limit of it too.
    private mutating func load(
        with hashsize: UInt64, isReload: Bool, during loadOf: String?, by writer: Writer, _ evidence: Evidence
    ) {
        if isReload, loadOf == nil {
            // Only if nobody holds it then.
            var other = self
            other.unload()
            other.load(with: hashsize, isReload: false, during: nil, by: writer, evidence)
            return join(other)
        }
        guard !isLoaded, !era.isBuiltIn else { return }
        if loadOf == KernelEra.core { insert(KernelEra.core) } else { load(KernelEra.core) }
        let author = Foretold.Author(name: "the hash size given at load", evidence: evidence)
        let given = era.given(hashsize)
        for (name, value) in [("nf_conntrack_max", given?.limit), ("nf_conntrack_buckets", given?.buckets)] {
            guard settings[name] != nil else { continue }
            settings[name] = Foretold(name, value.map { [$0] } ?? [], by: author)
        }
    }

    // MARK: Writers

    /// Runs all writers of a moment, in their order.
    mutating func run(at isMoment: (Writer.Moment) -> Bool) {
        for index in writers.indices where isMoment(writers[index].when) { run(index) }
    }

    /// What one writer does. `part`: the module whose load is under way, or has just been.
    mutating func run(_ index: Int, during loadOf: String? = nil, after part: String? = nil) {
        let writer = writers[index]
        for act in writer.acts {
            switch act {
            case .write(let write):
                // A rule for nf_conntrack races with the load of the module that holds the setting.
                let isRace = part.map { !era.brings($0, write.key) } ?? false
                self.write(write, index, isCertain: writer.certainty == .certain && !isRace)
            case .load(let module, _):
                if let loadOf, module.replacing("-", with: "_") == loadOf { insert(loadOf) } else { load(module) }
            case .loadWith(let hashsize, let isReload, let evidence):
                load(with: hashsize, isReload: isReload, during: loadOf, by: writer, evidence ?? writer.evidence)
            case .reload:
                // Only if nobody holds it then.
                var other = self
                other.unload()
                other.load(nil)
                join(other)
            }
        }
    }

    private mutating func write(_ write: Write, _ index: Int, isCertain: Bool) {
        let evidence = write.evidence ?? writers[index].evidence
        guard var setting = settings[write.key] else {
            if era.exists(write.key) { missed.append(Missed(key: write.key, writer: index, evidence: evidence)) }
            return
        }
        var change = write.change
        switch write.change {
        case .set(let value):
            guard let taken = era.taken(value, as: write.key) else { return }
            change = .set(taken)
        case .raise(let value):
            guard let taken = era.taken(value, as: write.key) else { return }
            change = .raise(taken)
        case .unknown: break
        }
        let author = Foretold.Author(name: writers[index].name, evidence: evidence, writer: index)
        setting.apply(change, by: author, isCertain: isCertain && write.certainty == .certain)
        settings[write.key] = setting
    }

    /// It is as here or as there.
    mutating func join(_ other: SimulatedKernel) {
        settings.merge(other.settings) { mine, others in
            var both = mine
            if mine != others { both.join(others) }
            return both
        }
        missed += other.missed.filter { !missed.contains($0) }
        loaded.formUnion(other.loaded)
    }
}

extension Writer.Act {
    /// The module that it loads.
    fileprivate var module: String? {
        switch self {
        case .load(let module, _): module.replacing("-", with: "_")
        case .loadWith(_, false, _): KernelEra.core
        case .write, .reload, .loadWith: nil
        }
    }
}
