// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What one run of a sysctl program writes to settings of conntrack's.
struct SysctlWrites {
    private let run: SysctlRun
    private let sources: WriterSources
    private let prefixes: SysctlPrefixes
    private let plan: SysctlPlan
    /// Whether a key may be a glob.
    private let globs: Certainty?
    /// Kernels before 4.9 have the names of ip_conntrack too, where they are built with them, as EL6's and EL7's are.
    private let hasOldNames: Bool

    init(_ run: SysctlRun, _ sources: WriterSources) {
        (self.run, self.sources) = (run, sources)
        prefixes = SysctlPrefixes(run.filter, sources)
        plan = SysctlWrites.plan(run, sources, prefixes)
        let hasGlobs = plan.steps.contains(where: \.assignment.isGlob)
        globs = hasGlobs ? run.reader.takesGlobs(sources) : nil
        hasOldNames = sources.release.map { $0 < KernelRelease(4, 9) } ?? false
    }

    /// In the order in which it makes them.
    var all: [Write] {
        var names = Set(plan.steps.compactMap { $0.assignment.isGlob ? nil : name(of: $0.assignment.key) })
        if globs != nil { names.formUnion(sources.names.reachable) }
        return names.filter(exists).flatMap(writes).sorted { ($0.index, $0.write.key) < ($1.index, $1.write.key) }
            .map(\.write)
    }

    // MARK: Settings

    private static let oldFolder = "net/ipv4/netfilter/ip_conntrack_"

    private func exists(_ name: String) -> Bool {
        let names = sources.names
        if names.isSetting(name) { return !names.isGone(name) }
        // Those two are there, and can't be written.
        let isReadOnly = name == SettingNames.readOnly || name == SettingNames.buckets
        return !isReadOnly && names.mayExist("net/netfilter/" + name)
    }

    private func name(of key: String) -> String? {
        guard key.hasPrefix(SysctlWrites.oldFolder) else { return SysctlConfiguration.name(of: key) }
        let name = "nf_conntrack_" + key.dropFirst(SysctlWrites.oldFolder.utf8.count)
        return hasOldNames && name != SettingNames.buckets ? name : nil
    }

    private func paths(of name: String) -> [String] {
        let old = SysctlWrites.oldFolder + name.dropFirst("nf_conntrack_".utf8.count)
        return (SysctlConfiguration.paths(of: name) + (hasOldNames ? [old] : [])).filter { prefixes.passes($0) != nil }
    }

    /// The last that it does for sure, and what only may come after it.
    private func writes(to name: String) -> [(index: Int, write: Write)] {
        var writes: [(index: Int, write: Write)] = []
        for index in plan.indices(for: paths(of: name)) {
            guard let write = write(plan.steps[index], to: name) else { continue }
            writes.removeAll { other in
                write.certainty == .certain
                    || other.write.certainty != .certain && other.write.change == write.change
            }
            writes.append((index, write))
        }
        return writes
    }

    /// nil for what the reader does not make of the step, or the kernel refuses.
    private func write(_ step: SysctlPlan.Step, to name: String) -> Write? {
        let assignment = step.assignment
        guard let text = assignment.value, let value = SettingValue(text, of: name, release: sources.release),
            let reach = assignment.isGlob ? globs : prefixes.passes(assignment.key)
        else { return nil }
        var certainty = min(run.certainty, step.certainty, min(value.certainty, reach))
        if assignment.key.hasPrefix(SysctlWrites.oldFolder) { certainty = min(certainty, .may) }
        let line = InvisibleText.shown("\(assignment.writtenAs) = \(text)").trimmed
        return Write(
            key: name, change: .set(value.number), certainty: certainty,
            evidence: Evidence(file: step.file, line: assignment.line, text: line))
    }

    // MARK: Lines

    private static func plan(_ run: SysctlRun, _ sources: WriterSources, _ prefixes: SysctlPrefixes) -> SysctlPlan {
        var plan = SysctlPlan(keepsOne: run.reader == .systemd)
        let pattern = SysctlPattern(run.filter, sources)
        for file in SysctlPaths(reader: run.reader, tree: sources.tree).files(run.files) {
            guard let text = sources.tree.text(file) else { continue }
            let lines = SysctlSyntax.parse(text, by: run.reader) { mayConcernUs($0, run.filter) }
            for assignment in lines.assignments where SysctlConfiguration.concernsUs(assignment) {
                guard plan.steps.count < SysctlConfiguration.stepLimit else { return plan }
                // systemd-sysctl looks at the prefix of a glob only when it has found what it reaches.
                let isKept =
                    assignment.isGlob
                    ? prefixes.mayPass(glob: assignment.key) : prefixes.passes(assignment.key) != nil
                guard isKept else { continue }
                let certainty = pattern?.certainty(of: assignment.text) ?? .certain
                if certainty != .unknown { plan.add(assignment, from: file, certainty: certainty) }
            }
        }
        return plan
    }

    /// Files have many lines, and few of them are about conntrack. By bytes: characters are slow to tell apart.
    private static func mayConcernUs(_ line: Substring, _ filter: SysctlRun.Filter) -> Bool {
        let globs: [UInt8] = [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")]
        guard line.utf8.contains(where: globs.contains) || occurs("conntrack", in: String(line)) else { return false }
        guard case .lines(let words) = filter else { return true }
        return words.contains { line.contains($0) }
    }
}
