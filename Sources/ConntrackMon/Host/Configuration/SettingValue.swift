// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the kernel makes of a value that is written to a setting.
struct SettingValue: Equatable {
    /// What it holds then. 0 is no limit; a negative limit is what an unsigned int makes of it.
    var number: UInt64
    /// `.may` where this kernel may refuse it.
    var certainty = Certainty.certain

    private static let intLimit = UInt64(Int32.max)

    /// nil for a value that it refuses, which changes nothing.
    /// - Parameter release: nil for a kernel that is not known: what any takes.
    init?(_ text: String, of name: String, release: KernelRelease?) {
        if name == "nf_conntrack_max", text.trimmed.hasPrefix("-") {
            guard let release, let number = SettingValue.negative(text, release) else { return nil }
            self.number = number
            certainty = release < KernelRelease(5, 4) ? .certain : .may
            return
        }
        guard let number = SysctlSyntax.number(text) else { return nil }
        self.number = number
        switch name {
        // "No limit" before 6.19 (2b749f257645).
        case "nf_conntrack_max" where number == 0 && release.map { $0 >= KernelRelease(6, 19) } ?? false: return nil
        case SettingNames.buckets where number == 0: return nil
        case _ where name.contains("_timeout"):
            // Jiffies in an int: seconds times CONFIG_HZ, from 100 to 1000.
            guard number <= SettingValue.intLimit / 100 else { return nil }
            if number > SettingValue.intLimit / 1000 { certainty = .may }
        // Bytes of memory in a long.
        case _ where name.hasPrefix("nf_conntrack_frag6_"): break
        default: guard number <= SettingValue.intLimit else { return nil }
        }
    }

    /// Taken until 6.15, and until stable releases of that spring, the oldest of 5.4 (8b6861390ffe).
    private static func negative(_ text: String, _ release: KernelRelease) -> UInt64? {
        guard release < KernelRelease(6, 15), let number = SysctlSyntax.number(String(text.trimmed.dropFirst())),
            number <= intLimit + 1
        else { return nil }
        return number == 0 ? 0 : (1 << 32) - number
    }
}
