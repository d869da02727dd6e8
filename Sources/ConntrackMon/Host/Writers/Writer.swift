// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A program, or a file that a program runs, that sets conntrack settings or loads the module.
struct Writer: Equatable, Sendable {
    /// As its users call it, to stand in a sentence: "systemd-sysctl", "the udev rule", "kube-proxy", "/etc/rc.local".
    var name: String
    var when: Moment
    /// In the order in which it does them.
    var acts: [Act]
    /// What shows that it is there and does this.
    var evidence: Evidence
    /// Whether it does all this for sure; `.may` where its version, or whether it runs, can't be seen.
    var certainty = Certainty.certain
    /// It is a program with a life of its own, which writes again when it is restarted: kube-proxy, tuned.
    var isService = false
    /// It applies the host's sysctl configuration, with all that it may say of the limit, even where it says nothing now.
    var appliesConfiguration = false
    /// What to change in that program, for it to write something else or nothing; nil where it only applies what the
    /// host's own sysctl configuration says.
    var cure: String?

    /// When a writer acts. In the order in which moments come at boot.
    enum Moment: Equatable, Sendable {
        /// Each time this module is loaded, before whoever asked for it goes on: `options` and `install` of modprobe.d.
        case load(of: String)
        /// Each time this module is loaded, soon after: a udev rule.
        case uevent(of: String)
        /// At boot, before sysctl configuration is applied: modules-load.d, /etc/modules.
        case early
        /// At boot, where sysctl configuration is applied.
        case boot
        /// Each time this firewall starts: IPTABLES_SYSCTL_LOAD_LIST, ufw, a drop-in of its unit. nil: any of the host's.
        case firewall(FirewallService.Kind?)
        /// Once, after the boot has come this far: rc.local, units, cron's @reboot, tuned, kube-proxy.
        case late
        /// Again and again: pve-firewall.
        case always
    }

    /// One thing that a writer does.
    enum Act: Equatable, Sendable {
        /// It sets a setting. Without effect where the setting is not there, as before its module is loaded.
        case write(Write)
        /// It loads a module, and by it perhaps nf_conntrack, as modprobe does.
        case load(module: String, Evidence?)
        /// It unloads nf_conntrack and loads it: what was set by then is lost.
        case reload(Evidence?)
        /// It loads nf_conntrack with this hash size given at load, from which the kernel makes a limit of eight times
        /// it. Where the module is loaded by then nothing happens, unless `isReload`: it unloads it before. In a writer
        /// that acts at a load of nf_conntrack: that load is made so.
        case loadWith(hashsize: UInt64, isReload: Bool, Evidence?)
    }
}

/// One setting that a writer sets.
struct Write: Equatable, Sendable {
    /// "nf_conntrack_max"; "nf_conntrack_buckets" for the hash size, however it is written.
    var key: String
    var change: Change
    var certainty = Certainty.certain
    /// The line or the option that says so; nil where the writer's own evidence does.
    var evidence: Evidence?

    enum Change: Equatable, Sendable {
        /// To this number, whatever was there. The kernel may refuse it, or round it.
        case set(UInt64)
        /// To this number if less is there.
        case raise(UInt64)
        /// To a number that can't be known from here.
        case unknown
    }
}

extension Writer.Act {
    /// A setting that is set without doubt.
    static func set(_ key: String, _ value: UInt64, _ evidence: Evidence? = nil) -> Writer.Act {
        .write(Write(key: key, change: .set(value), evidence: evidence))
    }
}
