// SPDX-License-Identifier: GPL-3.0-or-later

/// A kernel's version, as far as its behaviour depends on it.
public struct KernelRelease: Equatable, Comparable, Sendable, CustomStringConvertible {
    /// The first number.
    public var major: Int
    /// The second number.
    public var minor: Int
    /// The stable release, the third number: nil where that is 0 or missing, since distributions that count for themselves
    /// ("5.15.0-125-generic") leave it at 0.
    public var patch: Int?
    /// The whole name: "6.1.0-56-cloud-amd64".
    public var description: String

    /// Takes what /proc/sys/kernel/osrelease or /proc/version holds.
    public init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        let name = words.starts(with: ["Linux", "version"]) ? words.dropFirst(2).first : words.first
        guard let name else { return nil }
        let numbers = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard numbers.count > 1, let major = Int(numbers[0]), let minor = Int(numbers[1].prefix(while: \.isNumber))
        else { return nil }
        self.major = major
        self.minor = minor
        patch = numbers.dropFirst(2).first.flatMap { Int($0.prefix(while: \.isNumber)) }.flatMap { $0 > 0 ? $0 : nil }
        description = String(name)
    }

    /// A version alone, to compare with.
    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
        description = "\(major).\(minor)"
    }

    /// The same kernel with the stable release it is built from, where that is told apart from its name.
    /// - Parameters:
    ///   - signature: /proc/version_signature, which Ubuntu's have: "Ubuntu 5.15.0-125.135-generic 5.15.167".
    ///   - version: /proc/version, where Debian's say "... Debian 6.1.76-1 (2024-02-01)".
    package func refined(signature: String?, version: String?) -> KernelRelease {
        guard patch == nil else { return self }
        let words = version?.split(whereSeparator: \.isWhitespace) ?? []
        let debian = words.indices.dropLast().filter { words[$0] == "Debian" }.map { String(words[$0 + 1]) }
        let ubuntu = signature?.split(whereSeparator: \.isWhitespace).last.map { String($0) }
        let told = ([ubuntu].compactMap { $0 } + debian).compactMap { KernelRelease($0) }
        var refined = self
        refined.patch = told.first { $0 == self && $0.patch != nil }?.patch
        return refined
    }

    /// By number.
    public static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }

    /// By number.
    public static func == (left: Self, right: Self) -> Bool { (left.major, left.minor) == (right.major, right.minor) }

    /// EL7's 3.10 carries changes of later kernels.
    package var isEL7: Bool { self == KernelRelease(3, 10) && description.contains("el7") }

    /// Whether the architecture in the name has pointers of 8 bytes; those without one in it are taken to.
    package var is64Bit: Bool {
        !["i386", "i586", "i686", "-686", "armv5", "armv6", "armv7", "armhf", "armmp"].contains {
            description.contains($0) && !description.contains("arm64")
        }
    }
}
