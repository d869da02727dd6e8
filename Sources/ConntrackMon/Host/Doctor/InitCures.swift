// SPDX-License-Identifier: GPL-3.0-or-later

extension InitSystem {
    var sysctlFile: String { self == .initscripts ? "/etc/sysctl.conf" : "/etc/sysctl.d/90-conntrack.conf" }

    func restoreCure(after module: String) -> String {
        if self == .initscripts {
            return "IPTABLES_SYSCTL_LOAD_LIST=\"nf_conntrack\" in /etc/sysconfig/iptables-config puts back what"
                + " /etc/sysctl.conf holds"
        }
        return #"in /etc/udev/rules.d/50-conntrack.rules: ACTION=="add", SUBSYSTEM=="module", KERNEL==""# + module
            + #"", RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter --prefix=/net/nf_conntrack_max""#
    }

    func bootLoadCure(_ module: String) -> String {
        self == .initscripts
            ? "modprobe \(module) in /etc/sysconfig/modules/conntrack.modules"
            : "\(module) in /etc/modules-load.d/conntrack.conf"
    }
}
