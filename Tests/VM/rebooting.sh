# shellcheck shell=sh disable=SC1003,SC2016,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# What a boot leaves of settings. The machine boots once for what doctor foretells of all hosts, and once more for each of them:
# boot.sh passes its name on the kernel's command line.

# shellcheck source=/dev/null
. foretold.sh

booting=$(sed -n 's/.*\bboot=\([^ ]*\).*/\1/p' /proc/cmdline)

boot() { # NAME: begins one, unless this boot is another's
    [ -z "$booting" ] || [ "$booting" = "$1" ] || return
    way "$1${booting:+ rebooted}"
    service iptables
    put /etc/sysconfig/iptables '*filter' ':INPUT ACCEPT [0:0]' '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT' \
        COMMIT
}

configure() {
    put /etc/sysctl.d/90-conntrack.conf "${n}_max = 262144" "${n}_tcp_timeout_established = 3600"
}

rc_local() { # LINE ...
    put /etc/rc.d/rc.local '#!/bin/sh' "$@"
    chmod +x /etc/rc.d/rc.local
    ln -s rc.d/rc.local /etc/rc.local
}

reboot() { # in the first boot doctor's word, in the second what systemd starts, in its order
    if [ -z "$booting" ]; then
        iptables.init iptables start || fail "iptables does not start: $?"
        foretell
        return
    fi
    [ ! -e /sys/module/nf_conntrack ] || fail "nf_conntrack is there before the boot"
    udevd
    systemd-modules-load 2>&1
    systemd-sysctl 2>&1
    iptables.init iptables start || fail "iptables does not start: $?"
    udevadm settle --timeout=10 || fail "udevd is not done"
    [ ! -x /etc/rc.d/rc.local ] || /etc/rc.d/rc.local
    settled reboot
}

if boot race; then
    configure
    reboot
fi

if boot modules-load; then
    configure
    put /etc/modules-load.d/conntrack.conf nf_conntrack
    reboot
fi

if boot modules-load-old-name; then
    configure
    put /etc/modules-load.d/conntrack.conf nf_conntrack_ipv4
    reboot
fi

if boot modules-load-blacklisted; then
    configure
    put /etc/modules-load.d/conntrack.conf nf_conntrack
    put /etc/modprobe.d/conntrack.conf 'blacklist nf_conntrack'
    reboot
fi

if boot modules-load-user; then
    configure
    put /etc/modules-load.d/nat.conf '# for the firewall' iptable_nat
    put /etc/modprobe.d/conntrack.conf 'options nf_conntrack hashsize=16384'
    reboot
fi

if boot udev-rule; then
    configure
    put /etc/udev/rules.d/90-conntrack.rules 'ACTION=="add", SUBSYSTEM=="module", KERNEL=="nf_conntrack", \' \
        'RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter"'
    reboot
fi

if boot install-line; then
    put /etc/sysctl.d/90-conntrack.conf "${n}_tcp_timeout_established = 3600"
    put /etc/modules-load.d/conntrack.conf nf_conntrack
    put /etc/modprobe.d/conntrack.conf 'install nf_conntrack /sbin/modprobe --ignore-install nf_conntrack && \' \
        "/sbin/sysctl -w ${n}_max=131072 ${n}_tcp_timeout_established=7200"
    reboot
fi

if boot rc.local; then
    rc_local 'sysctl -w net.netfilter.nf_conntrack_max=1048576' \
        'echo 3600 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established'
    reboot
fi

if boot rc.local-over-configuration; then
    configure
    put /etc/modules-load.d/conntrack.conf nf_conntrack
    rc_local '# once: sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=5' \
        '/sbin/sysctl -q -p /etc/sysctl.conf' 'exit 0' 'sysctl -w net.netfilter.nf_conntrack_max=1'
    put /etc/sysctl.conf "${n}_max = 131072"
    reboot
fi

if boot rc.local-not-executable; then
    configure
    rc_local 'sysctl -w net.netfilter.nf_conntrack_max=1048576'
    chmod -x /etc/rc.d/rc.local
    reboot
fi

if boot load-list; then
    put /etc/sysctl.conf "${n}_max = 262144"
    put /etc/sysconfig/iptables-config 'IPTABLES_SYSCTL_LOAD_LIST="nf_conntrack"'
    reboot
fi
