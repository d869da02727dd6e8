// SPDX-License-Identifier: GPL-3.0-or-later

/// Kubernetes' version, 1.MINOR.PATCH, and what kube-proxy does to settings by it. From its source
/// (cmd/kube-proxy/app/conntrack.go, pkg/proxy/conntrack/sysctls.go).
struct KubeVersion: Equatable, Sendable {
    var minor: Int
    var patch: Int?

    init(minor: Int, patch: Int? = nil) { (self.minor, self.patch) = (minor, patch) }

    /// From what a tag or a package says: "v1.27.3", "1.29.0-eksbuild.1", "v1.28.2-rke2r1-build20230913".
    init?(_ text: some StringProtocol) {
        let parts = text.drop { $0 == "v" }.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "1", let minor = Int(parts[1].prefix(while: \.isNumber)) else { return nil }
        self.minor = minor
        patch = parts.count > 2 ? Int(parts[2].prefix(while: \.isNumber)) : nil
    }

    /// From an image: "registry.k8s.io/kube-proxy:v1.27.3", with or without "@sha256:...".
    init?(image: some StringProtocol) {
        let name = image.split(separator: "@").first?.split(separator: "/").last ?? ""
        let parts = name.split(separator: ":")
        guard parts.count == 2, let version = KubeVersion(parts[1]) else { return nil }
        self = version
    }

    /// Whether it writes a number over a higher one.
    enum Lowers { case always, never, may }

    /// Of the limit. 1.22 to 1.28 only raise whatever they set. The limit alone is only raised since September 2026: in
    /// 1.38 and in later releases of 1.37 and 1.36, which the patch does not tell for sure.
    static func lowersLimit(_ version: KubeVersion?) -> Lowers {
        guard let version else { return .may }
        switch version.minor {
        case 22...28: return .never
        case 36: return version.patch.map { $0 <= 4 } ?? false ? .always : .may
        case 37: return version.patch == 0 ? .always : .may
        default: return version.minor < 38 ? .always : .never
        }
    }

    /// Of the timeouts.
    static func lowersTimeouts(_ version: KubeVersion?) -> Lowers {
        guard let version else { return .may }
        return (22...28).contains(version.minor) ? .never : .always
    }

    /// Whether the limit that it counts by cores is capped: since 1.36. nil where the version is not known.
    static func capsLimit(_ version: KubeVersion?) -> Bool? { version.map { $0.minor >= 36 } }
    static let cap: UInt64 = 1_048_576
}
