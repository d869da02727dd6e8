// SPDX-License-Identifier: GPL-3.0-or-later

/// A host's distribution, by /etc/os-release or the older files.
struct Distribution: Equatable, Sendable {
    /// As ID of os-release(5): "ubuntu"; nil where nothing tells.
    var id: String?
    /// Its relatives, ID_LIKE.
    var relatives: [String] = []
    /// The version's first numbers: 14.04 is [14, 4].
    var version: [Int] = []

    init(of tree: FileTree) {
        if let text = tree.text("/etc/os-release") ?? tree.text("/usr/lib/os-release") {
            let values = Distribution.values(text)
            id = values["ID"]
            relatives = values["ID_LIKE"]?.split(separator: " ").map(String.init) ?? []
            version = Distribution.numbers(values["VERSION_ID"] ?? "")
        } else if let text = tree.text("/etc/lsb-release"), let name = Distribution.values(text)["DISTRIB_ID"] {
            id = name.lowercased()
            version = Distribution.numbers(Distribution.values(text)["DISTRIB_RELEASE"] ?? "")
        } else if let text = ["/etc/redhat-release", "/etc/centos-release", "/etc/system-release"].lazy
            .compactMap({ tree.text($0) }).first
        {
            readRedHat(text)
        } else if let text = tree.text("/etc/debian_version") {
            // Names of versions to come have no number.
            (id, version) = ("debian", Distribution.numbers(text))
        }
    }

    /// "CentOS release 6.6 (Final)", "Amazon Linux AMI release 2018.03", "Fedora release 40 (Forty)".
    private mutating func readRedHat(_ text: String) {
        version = Distribution.numbers(String(text.drop { !$0.isNumber }))
        if text.hasPrefix("Fedora") || occurs("CoreOS", in: text) {
            // Red Hat's CoreOS counts as OpenShift does.
            id = "fedora"
        } else if text.hasPrefix("Amazon Linux") {
            id = "amzn"
        } else {
            id = "rhel"
        }
    }

    /// KEY=value, with quotation marks or without.
    private static func values(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline).prefix(100) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[String(parts[0])] = String(parts[1].filter { $0 != "\"" && $0 != "'" })
        }
        return values
    }

    private static func numbers(_ text: String) -> [Int] {
        text.trimmed.prefix { $0.isNumber || $0 == "." }.split(separator: ".").prefix(2).compactMap { Int($0) }
    }

    // MARK: Its init

    /// nil where the version is not known.
    var isUbuntuWithUpstart: Bool? {
        guard id == "ubuntu", let major = version.first else { return nil }
        return major < 15
    }

    /// Those that start with systemd whatever their version, or from a version on.
    private static let withSystemd: Set<String> = [
        "arch", "archarm", "azurelinux", "bottlerocket", "clear-linux-os", "cos", "deepin", "endeavouros", "fedora",
        "flatcar", "coreos", "kali", "kylin", "mageia", "manjaro", "mariner", "nixos", "openeuler", "opencloudos",
        "opensuse-leap", "opensuse-tumbleweed", "opensuse-microos", "photon", "pop", "raspbian", "sles", "sled",
        "sle-micro", "sl-micro", "tencentos", "anolis", "alinux", "almalinux", "rocky", "linuxmint", "ubuntu-core",
    ]
    /// Those with another init, or with more than one to choose from, whatever they are like.
    private static let others: Set<String> = [
        "alpine", "artix", "chimera", "devuan", "gentoo", "openwrt", "slackware", "void", "talos", "pclinuxos", "mx",
        "antix", "guix",
    ]
    private static let family: Set<String> = [
        "debian", "ubuntu", "rhel", "fedora", "centos", "suse", "opensuse", "arch",
    ]

    /// nil where the distribution is not known, `.unknown` where it does not decide.
    var initSystem: InitSystem? {
        guard let id else { return nil }
        if Distribution.others.contains(id) { return id == "devuan" ? .sysvinit : .unknown }
        switch id {
        case "ubuntu": return isUbuntuWithUpstart == true ? .upstart : .systemd
        case "debian": return version.first.map { $0 < 8 } == true ? .sysvinit : .systemd
        case "rhel", "centos", "ol", "scientific", "cloudlinux", "virtuozzo":
            return version.first.map { $0 < 7 } == true ? .initscripts : .systemd
        // Amazon Linux 1 counts years.
        case "amzn": return version.first.map { (2010..<2019).contains($0) } == true ? .initscripts : .systemd
        case let id where Distribution.withSystemd.contains(id): return .systemd
        default: return relatives.contains(where: Distribution.family.contains) ? .systemd : .unknown
        }
    }
}
