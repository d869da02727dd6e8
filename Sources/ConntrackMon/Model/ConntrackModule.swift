// SPDX-License-Identifier: GPL-3.0-or-later

/// How nf_conntrack is there, as /sys/module tells. Reading it loads nothing.
public enum ConntrackModule: String, Codable, Sendable {
    /// Part of the kernel image: it cannot go away (its folder has no `refcnt`).
    case builtIn = "built-in"
    /// A loaded module.
    case loaded
    /// Not there.
    case absent
}
