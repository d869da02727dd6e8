// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// tuned's profiles with those that they include, merged: a later one's options take the place of an earlier one's
/// (tuned/profiles/loader.py and merger.py of 2.20 and 2.28).
struct TunedProfile {
    /// One section: `[sysctl]`, or `[name]` with `type=sysctl`.
    struct Unit {
        var name: String
        var type: String
        var isEnabled = true
        /// .may where only one of several profiles, or some CPUs and kernels, have it.
        var certainty: Certainty
        var priority = 0
        var options: [Option] = []
    }

    /// One option, with what it may be: the last value that is certain, then those that only may be.
    struct Option {
        var key: String
        var values: [Value]
    }

    struct Value {
        var text: String
        var certainty: Certainty
        var evidence: Evidence
        /// The folder of the file, for ${i:PROFILE_DIR}.
        var folder: String
    }

    private(set) var units: [Unit] = []
    /// Profiles that the tree does not have, and that touch conntrack or are not known.
    private(set) var missing: [String] = []
    /// Whether a profile that is missing is known to set sysctls.
    private(set) var mayHaveSysctl = false

    private let tree: FileTree
    private let folders: [String]
    private var read: [String] = []
    private var isRefused = false
    private static let fileLimit = 64

    init(_ names: [String], in tree: FileTree) {
        self.tree = tree
        folders = TunedProfile.folders(tree)
        for name in names { load(name, .certain, depth: 0) }
        if isRefused { units = [] }
        units = units.filter(\.isEnabled).enumerated()
            .sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }.map(\.element)
    }

    /// The later folder of a name comes first. tuned 2.24 moved them to a folder profiles.
    private static func folders(_ tree: FileTree) -> [String] {
        let main = tree.text("/etc/tuned/tuned-main.conf").map { TunedConfig($0, header: "") }
        let own = main?[""]?["profile_dirs"].map { names in
            names.split { $0 == "," || $0 == ";" }.map(\.trimmed)
        }
        return (own ?? []).reversed()
            + ["/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned"]
    }

    // MARK: Loading

    private mutating func load(_ name: String, _ certainty: Certainty, depth: Int) {
        let isOptional = name.hasPrefix("-")
        let name = String((isOptional ? name.dropFirst() : name[...]).split(separator: "/").last ?? "")
        guard !name.isEmpty, depth < 16, read.count < TunedProfile.fileLimit else { return }
        let files = folders.map { "\($0)/\(name)/tuned.conf" }.filter { tree.exists($0) }
        // A profile that includes its own name means the one of the folder before.
        guard let file = files.first(where: { !read.contains($0) }), let text = tree.text(file) else {
            if files.isEmpty, !isOptional { miss(name, certainty, depth: depth) }
            return
        }
        read.append(file)
        let config = TunedConfig(text)
        if config.isFaulty {
            isRefused = isRefused || certainty == .certain
            weakenAll()
        }
        for include in config["main"]?.options ?? [] where include.key == "include" {
            for name in include.value.split(whereSeparator: { $0 == "," || $0 == ";" }).map(\.trimmed) {
                let choices = TunedText.choices(name)
                if choices.isEmpty, !name.hasPrefix("-") { missing.append(name) }
                for choice in choices {
                    load(choice.text, min(certainty, choice.isCertain ? .certain : .may), depth: depth + 1)
                }
            }
        }
        merge(config, from: file, certainty)
    }

    private mutating func miss(_ name: String, _ certainty: Certainty, depth: Int) {
        if let shipped = ShippedProfiles.all[name] {
            mayHaveSysctl = mayHaveSysctl || shipped.hasSysctl
            for parent in shipped.parents { load(parent, .may, depth: depth + 1) }
            if !shipped.setsConntrack { return }
        }
        missing.append(name)
        weakenAll()
    }

    /// What is there by now may not come to be, or be taken the place of.
    private mutating func weakenAll() {
        for unit in units.indices { units[unit].certainty = min(units[unit].certainty, .may) }
    }

    // MARK: Merging

    private mutating func merge(_ config: TunedConfig, from file: String, _ certainty: Certainty) {
        for section in config.sections where section.name != "main" {
            let isConditional = section["uname_regex"] != nil || section["cpuinfo_regex"] != nil
            let certainty = isConditional ? min(certainty, .may) : certainty
            let index = unit(section, certainty)
            for drop in section["drop"]?.split(whereSeparator: { $0 == "," || $0 == ";" }) ?? [] {
                weaken(index, certainty) { $0 == drop.trimmed }
            }
            for option in section.options where !TunedProfile.ownKeys.contains(option.key) {
                let value = Value(
                    text: option.value, certainty: certainty,
                    evidence: Evidence(file: file, line: option.line, text: option.text),
                    folder: String(file.dropLast("/tuned.conf".utf8.count)))
                set(option.key, value, in: index)
            }
        }
    }

    /// What is said of the section, not of what it sets.
    private static let ownKeys = [
        "type", "enabled", "replace", "prepend", "drop", "devices", "devices_udev_regex", "cpuinfo_regex",
        "uname_regex", "script_pre", "script_post", "priority",
    ]

    private mutating func unit(_ section: TunedConfig.Section, _ certainty: Certainty) -> Int {
        let isOn = { (key: String, usual: Bool) in
            section[key].map { ["True", "true", "1"].contains($0) } ?? usual
        }
        guard let index = units.firstIndex(where: { $0.name == section.name }) else {
            units.append(Unit(name: section.name, type: section["type"] ?? section.name, certainty: certainty))
            units[units.count - 1].isEnabled = isOn("enabled", true)
            units[units.count - 1].priority = section["priority"].flatMap { Int($0) } ?? 0
            return units.count - 1
        }
        if certainty == .certain {
            units[index].type = section["type"] ?? section.name
            units[index].isEnabled = isOn("enabled", true)
            units[index].certainty = .certain
            if let priority = section["priority"].flatMap({ Int($0) }) { units[index].priority = priority }
        } else if !isOn("enabled", true) {
            units[index].certainty = min(units[index].certainty, .may)
        }
        if isOn("replace", false) { weaken(index, certainty) { _ in true } }
        return index
    }

    /// Takes options away; one that only may be taken away stays as one that may be.
    private mutating func weaken(_ index: Int, _ certainty: Certainty, _ isMeant: (String) -> Bool) {
        if certainty == .certain {
            units[index].options.removeAll { isMeant($0.key) }
        } else {
            for option in units[index].options.indices where isMeant(units[index].options[option].key) {
                for value in units[index].options[option].values.indices {
                    units[index].options[option].values[value].certainty = .may
                }
            }
        }
    }

    private mutating func set(_ key: String, _ value: Value, in index: Int) {
        if let known = units[index].options.firstIndex(where: { $0.key == key }) {
            if value.certainty == .certain { units[index].options[known].values = [] }
            units[index].options[known].values.append(value)
        } else {
            units[index].options.append(Option(key: key, values: [value]))
        }
    }
}

/// The profiles that come with tuned, for trees that lack them: who includes whom, and who sets sysctls (2.20 to 2.28).
/// Of these openshift, atomic-host and atomic-guest alone touch conntrack.
enum ShippedProfiles {
    struct Profile {
        var parents: [String]
        var hasSysctl: Bool
        var setsConntrack: Bool
    }

    static let all: [String: Profile] = {
        let withSysctl = [
            "accelerator-performance", "atomic-guest", "atomic-host", "desktop", "hpc-compute", "latency-performance",
            "mssql", "network-latency", "network-throughput", "openshift", "openshift-node",
            "optimize-serial-console", "oracle", "postgresql", "powersave", "realtime", "sap-hana", "sap-netweaver",
            "spectrumscale-ece", "spindown-disk", "throughput-performance", "virtual-guest",
        ]
        let without = ["balanced", "default", "intel-sst", "server-powersave"]
        let parents = [
            "atomic-guest": "virtual-guest", "atomic-host": "throughput-performance", "aws": "throughput-performance",
            "balanced-battery": "balanced", "cpu-partitioning": "network-latency",
            "cpu-partitioning-powersave": "cpu-partitioning", "desktop": "balanced",
            "desktop-powersave": "server-powersave", "enterprise-storage": "throughput-performance",
            "hpc-compute": "latency-performance", "laptop-ac-powersave": "desktop-powersave",
            "laptop-battery-powersave": "powersave", "mssql": "throughput-performance",
            "network-latency": "latency-performance", "network-throughput": "throughput-performance",
            "openshift-control-plane": "openshift", "openshift-node": "openshift",
            "oracle": "throughput-performance", "postgresql": "throughput-performance",
            "realtime": "network-latency", "realtime-virtual-guest": "realtime", "realtime-virtual-host": "realtime",
            "sap-hana-kvm-guest": "sap-hana", "sap-netweaver": "throughput-performance",
            "spectrumscale-ece": "throughput-performance", "virtual-guest": "throughput-performance",
            "virtual-host": "throughput-performance",
        ]
        let conntrack = ["atomic-guest", "atomic-host", "openshift", "openshift-control-plane", "openshift-node"]
        let names = Set(withSysctl + without + parents.keys)
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                (
                    name,
                    Profile(
                        parents: parents[name].map { [$0] } ?? [], hasSysctl: withSysctl.contains(name),
                        setsConntrack: conntrack.contains(name))
                )
            })
    }()
}
