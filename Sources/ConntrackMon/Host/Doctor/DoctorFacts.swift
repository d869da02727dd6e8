// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// All that `doctor` knows about a host. Gathered here, judged elsewhere.
struct DoctorFacts: Sendable {
    var release: KernelRelease?
    /// MemTotal in bytes.
    var memory: UInt64?
    var cores: Int?
    var modules: LoadedModules
    /// Every nf_conntrack_* setting that is live, the limit and the buckets among them.
    var live: [String: UInt64]
    var entries: UInt64?
    /// Bytes an entry takes; nil where /proc/slabinfo is not to be read.
    var entrySize: UInt64?
    var configuration: SysctlConfiguration
    var loading: ModuleConfiguration
    var firewalls: [FirewallService]
    /// Saved rules that need connection tracking.
    var ipv4Rules: SavedRules
    var ipv6Rules: SavedRules
    /// Which program starts the host.
    var initSystem: InitSystem
    /// What to write, and where.
    var cures: HostCures
    /// Its limit is not its own.
    var openVZ: OpenVZ?
    /// There are more scripts than are read: what they set is not known.
    var hasUnreadScripts: Bool
    /// Who sets what, and when.
    var timeline: Timeline
    /// What shows that Docker is there.
    var docker: Evidence?
    /// The rules that the kernel has; asked by `readRules` only.
    var kernelRules = RuleKnowledge.notAsked
    /// What the files say of conntrack to nobody.
    var text: ConntrackText
    /// Whether there was configuration to read: a folder etc.
    var hasConfiguration: Bool
    /// Not a saved one, which may have kept a part of its settings only.
    private let isThisHost: Bool

    /// Something is configured, and what starts the host, and so whether that is applied, is not to be told.
    var isBootUnknown: Bool {
        initSystem == .unknown
            && !(configuration.all.isEmpty && configuration.refused.isEmpty && configuration.whatProcpsDoes.isEmpty)
    }

    var limit: UInt64? { live["nf_conntrack_max"] }
    var buckets: UInt64? { live["nf_conntrack_buckets"] }

    /// The defaults of this kernel with this memory, with the hash size that is given at load.
    var defaults: KernelDefaults? {
        guard let memory, let release else { return nil }
        let all = KernelDefaults(memory: memory, release: release, hashsize: loadHashsize)
        // Where kernels of a version differ, what is live tells which this is, unless somebody may have written it.
        let written = Set(timeline.writers.flatMap(\.keys) + configuration.all.map(\.key))
        let (hasLimit, hasBuckets) = (written.contains("nf_conntrack_max"), written.contains("nf_conntrack_buckets"))
        guard !hasLimit || !hasBuckets else { return all }
        let matching = all.alternatives.filter { pair in
            (hasLimit || pair.limit == limit) && (hasBuckets || pair.buckets == buckets)
        }
        guard matching.count == 1 else { return all }
        return KernelDefaults(memory: memory, release: release, hashsize: loadHashsize, live: matching[0])
    }

    /// modprobe.d says nothing to a kernel that has nf_conntrack built in.
    var loadHashsize: UInt64? {
        modules.conntrack == .builtIn && loading.hashsizeEvidence?.file != "/proc/cmdline" ? nil : loading.hashsize
    }

    /// Reads all of it and changes nothing.
    init(_ paths: HostPaths) {
        let (tree, proc) = (FileTree(root: paths.root), FileTree(root: paths.procfs))
        isThisHost = tree.root.isEmpty
        (live, entries) = DoctorFacts.settings(paths, tree: tree)
        modules = LoadedModules(
            procfs: proc, sysfs: FileTree(root: paths.sysfs), isTracking: live["nf_conntrack_max"] != nil)
        if live["nf_conntrack_buckets"] == nil {
            live["nf_conntrack_buckets"] = readNumber(paths.module("nf_conntrack") + "/parameters/hashsize")
        }
        release = KernelRelease.ofHost(paths)
        memory = proc.text("/meminfo").flatMap(DoctorFacts.memory)
        cores = DoctorFacts.cores(proc)
        entrySize = proc.text("/slabinfo").flatMap(DoctorFacts.entrySize)
        let names = SettingNames(live: live.keys, release: release)
        configuration = SysctlConfiguration(tree, release: release)
        configuration.keep { names.isSetting($0) && !names.isGone($0) }
        text = ConntrackText(tree: tree, reader: configuration.bootReader, names: names, release: release)
        hasConfiguration = tree.names(in: "/etc") != nil
        loading = ModuleConfiguration(tree: tree, commandLine: proc.text("/cmdline"), release: release)
        firewalls = FirewallService.all(in: tree)
        ipv4Rules = SavedRules(["/etc/sysconfig/iptables", "/etc/iptables/rules.v4"], in: tree)
        ipv6Rules = SavedRules(["/etc/sysconfig/ip6tables", "/etc/iptables/rules.v6"], in: tree)
        docker = ["/run/docker.pid", "/etc/docker/daemon.json", "/var/lib/docker"].first(where: tree.exists)
            .map { Evidence(file: $0, line: nil, text: "") }
        let sources = WriterSources(tree: tree, procfs: proc, release: release, cores: cores, names: names)
        initSystem = sources.initSystem
        cures = HostCures(initSystem, in: tree)
        openVZ = OpenVZ(proc)
        let writers = Writers.all(sources)
        hasUnreadScripts = sources.shell.isSpent
        timeline = Timeline(KernelEra(), writers: writers, names: [])
        let (era, live) = (era, live)
        timeline = Timeline(era, writers: writers.map { $0.proven(by: live, era) }, names: live.keys)
    }

    /// What this kernel makes of settings.
    private var era: KernelEra {
        KernelEra(
            release: release, memory: memory, defaults: defaults,
            hashsizeEvidence: loadHashsize == nil ? nil : loading.hashsizeEvidence,
            isBuiltIn: modules.conntrack == .builtIn, live: isThisHost ? Set(live.keys) : [],
            modules: Set(modules.aroundConntrack.map(\.name)))
    }

    /// Settings and entries from /proc/sys, or from the `sysctl -a` that a sosreport keeps instead of it.
    private static func settings(_ paths: HostPaths, tree: FileTree) -> (live: [String: UInt64], entries: UInt64?) {
        var entries = readNumber(paths.sysctl("nf_conntrack_count"))
        var live = Dictionary(readParameters(paths).map { ($0.name, $0.value) }) { first, _ in first }
        if live["nf_conntrack_max"] == nil {
            live["nf_conntrack_max"] = readNumber(paths.procfs + "/sys/net/nf_conntrack_max")
        }
        guard live.isEmpty, !tree.root.isEmpty, let text = tree.text("/sos_commands/kernel/sysctl_-a") else {
            return (live, entries)
        }
        for assignment in SysctlSyntax.parse(text).assignments {
            guard let name = assignment.key.split(separator: "/").last, name.hasPrefix("nf_conntrack_") else {
                continue
            }
            let value = assignment.value.flatMap(SysctlSyntax.number)
            if name == SettingNames.readOnly {
                entries = entries ?? value
            } else if !name.hasPrefix("nf_conntrack_frag6_") {
                live[String(name)] = value
            }
        }
        return (live, entries)
    }

    private static func memory(_ text: String) -> UInt64? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.flatMap {
            $0 < 1 << 50 ? $0 * 1024 : nil
        }
    }

    private static func cores(_ proc: FileTree) -> Int? {
        let lines = proc.text("/stat")?.split(separator: "\n") ?? []
        let count = lines.count { $0.hasPrefix("cpu") && $0.dropFirst(3).first?.isNumber == true }
        if count > 0 { return count }
        let processors = proc.text("/cpuinfo")?.split(separator: "\n").count { $0.hasPrefix("processor") } ?? 0
        return processors > 0 ? processors : nil
    }

    /// `NAME ACTIVE TOTAL SIZE ...`; kernels before 4.8 have a cache for each namespace, with its address in the name.
    private static func entrySize(_ slabinfo: String) -> UInt64? {
        for line in slabinfo.split(separator: "\n") where line.hasPrefix("nf_conntrack") {
            let words = line.split(separator: " ")
            guard words.count > 3, words[0] == "nf_conntrack" || words[0].hasPrefix("nf_conntrack_f") else { continue }
            return UInt64(words[3])
        }
        return nil
    }
}
