// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The nf_conntrack_* settings there are, to find the one that a text meant.
///
/// A name that any kernel had counts as one: settings come with a module and go with a kernel, and a file that serves
/// many hosts may name them all.
struct SettingNames: Sendable {
    private let known: Set<String>
    /// Whether the settings of the host were to be seen: its kernel may have others than the ones known here.
    private let isLive: Bool
    /// The hash size can be given at load only, before 4.8. EL7's 3.10 has much of later kernels.
    let hasFixedBuckets: Bool
    /// What a glob reaches where nothing says that it is not there.
    let reachable: [String]
    private let release: KernelRelease?

    static let buckets = "nf_conntrack_buckets"
    static let readOnly = "nf_conntrack_count"
    private static let frag6 = ["high_thresh", "low_thresh", "timeout"].map { "nf_conntrack_frag6_\($0)" }
    /// Of some kernels only, or of OpenWrt's.
    private static let others = [
        "default_on", "events_retry_timeout", "udplite_timeout", "udplite_timeout_stream", "tcp_no_window_check",
        "skip_filter",
    ].map { "nf_conntrack_\($0)" }

    /// - Parameter live: The names that are live.
    init(live: some Sequence<String>, release: KernelRelease? = nil) {
        let live = Set(live)
        hasFixedBuckets = release.map { $0 < KernelRelease(4, 8) && !$0.isEL7 } ?? false
        isLive = !live.isEmpty
        known = live.union(SysctlConfiguration.wellKnown).union(SettingNames.frag6).union(SettingNames.others)
            .subtracting([SettingNames.readOnly])
        self.release = release
        reachable = live.union(SysctlConfiguration.wellKnown).subtracting([SettingNames.readOnly])
            .filter { !SettingNames.isGone($0, release) }.sorted(by: FileTree.isBefore)
    }

    /// Whether this is a setting that can be written: "nf_conntrack_max".
    func isSetting(_ name: String) -> Bool {
        known.contains(name) && !(hasFixedBuckets && name == SettingNames.buckets)
    }

    /// Whether kernels of this host's release no longer have the setting, which is no fault of a file that names it.
    func isGone(_ name: String) -> Bool { SettingNames.isGone(name, release) }

    private static func isGone(_ name: String, _ release: KernelRelease?) -> Bool {
        guard let release else { return false }
        if name == "nf_conntrack_helper" { return release >= KernelRelease(6, 0) }
        if name.hasPrefix("nf_conntrack_dccp_") { return release >= KernelRelease(6, 17) }
        return name.hasPrefix("nf_conntrack_udplite_") && release >= KernelRelease(7, 1)
    }

    /// Whether a path below /proc/sys leads to a setting that can be written.
    func exists(_ path: String) -> Bool {
        if path == "net/nf_conntrack_max" { return true }
        let folder = "net/netfilter/"
        return path.hasPrefix(folder) && isSetting(String(path.dropFirst(folder.utf8.count)))
    }

    /// Whether something that is not known here may be a setting of this host all the same.
    func mayExist(_ path: String) -> Bool { !isLive && path.hasPrefix("net/netfilter/nf_conntrack_") }

    /// The setting that a key meant, and whether there is no doubt of it.
    func meant(by key: String) -> (name: String, isCertain: Bool)? {
        guard let name = SettingNames.name(in: key) else { return nil }
        if known.contains(name) { return (name, true) }
        if name == SettingNames.readOnly { return ("nf_conntrack_max", true) }
        // What the module calls its buckets.
        if name == "nf_conntrack_hashsize" { return (SettingNames.buckets, true) }
        let words = SettingNames.sorted(name)
        let near = known.sorted(by: FileTree.isBefore).map { other in
            (other, min(distance(name, other), distance(words, SettingNames.sorted(other))))
        }.min { $0.1 < $1.1 }
        let limit = max(2, (name.utf8.count - "nf_conntrack_".utf8.count) / 4)
        return near.flatMap { $0.1 <= limit ? ($0.0, false) : nil }
    }

    /// The last part of a key, from the word that names conntrack, as settings are called now.
    private static func name(in key: String) -> String? {
        let parts = key.lowercased().split { $0 == "." || $0 == "/" }.map { String($0).replacing("-", with: "_") }
        guard let first = parts.firstIndex(where: namesConntrack) else { return nil }
        var name = parts[first...].joined(separator: "_")
        if name.hasPrefix("ip_") { name = String(name.dropFirst(3)) }
        if !name.hasPrefix("nf_") { name = "nf_" + name }
        return name.utf8.count <= 80 ? name : nil
    }

    private static func sorted(_ name: String) -> String {
        name.split(separator: "_").sorted().joined(separator: "_")
    }
}

/// Whether a text names conntrack, be it with a slip: "nf_contrack_max".
func namesConntrack(_ text: String) -> Bool {
    let text = text.lowercased()
    if occurs("conntrack", in: text) { return true }
    guard occurs("con", in: text) else { return false }
    return text.utf8.split { !($0 >= 0x61 && $0 <= 0x7a) }.contains { word in
        (7...11).contains(word.count) && distance(String(Substring(word)), "conntrack") <= 2
    }
}

/// How many letters must be changed, put in or left out to make one text of the other.
func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for (column, other) in right.enumerated() {
            let change = diagonal + (byte == other ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(change, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
