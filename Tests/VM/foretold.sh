# shellcheck shell=sh disable=SC2013,SC2034,SC2086,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# What doctor foretells, and what comes true: a host with EL's firewall, for holding.sh, restoring.sh and rebooting.sh.
#
# A way prints its name, doctor's report, whether the stop of each service unloads nf_conntrack ("stop SERVICE: unloads" or
# "stays"), and all settings, "STATE NAME VALUE": before, after the restart, and after the module was unloaded and loaded again.

services=
holders= # processes
net=/proc/sys/net/netfilter
n=net.netfilter.nf_conntrack
PATH=/sbin:/bin

put() { # FILE LINE ...
    file=$1
    shift
    [ -d "${file%/*}" ] || mkdir -p "${file%/*}"
    printf '%s\n' "$@" >"$file"
}

way() { # NAME: begins one, on a host of EL7 without rules, module and configuration
    echo "=== $1"
    let_go
    services=
    # shellcheck disable=SC2115
    rm -rf /etc/* /usr/lib/modprobe.d /usr/lib/systemd /run/systemd /usr/libexec
    mkdir -p /etc/sysconfig /etc/sysctl.d /usr/lib/modprobe.d /usr/lib/systemd /usr/libexec/iptables /run/systemd/system \
        /etc/systemd/system/basic.target.wants /etc/systemd/system/multi-user.target.wants
    echo 'CentOS Linux release 7.9.2009 (Core)' >/etc/redhat-release
    for program in systemd-sysctl systemd-modules-load systemd-udevd; do
        ln -s /bin/$program /usr/lib/systemd/$program
    done
    ln -s /bin/iptables.init /usr/libexec/iptables/iptables.init
    ln -s /bin/iptables.init /usr/libexec/iptables/ip6tables.init
}

el6() { # makes it one of EL6
    rm -rf /usr/lib/systemd /run/systemd /etc/systemd /usr/libexec
    mkdir -p /etc/rc.d/init.d /etc/rc.d/rc3.d
    echo 'CentOS release 6.10 (Final)' >/etc/redhat-release
    put /etc/rc.d/rc.sysinit '#!/bin/bash' 'sysctl -e -p /etc/sysctl.conf >/dev/null 2>&1'
    ln -s rc.d/init.d /etc/init.d
    for service in iptables ip6tables; do ln -s /bin/iptables.init /etc/rc.d/init.d/$service; done
}

service() { # SERVICE [LINE OF ITS CONFIGURATION ...]
    name=$1
    shift
    services="$services $name"
    put /etc/sysconfig/$name-config "$@"
    if [ -e /etc/rc.d/rc3.d ]; then
        ln -s ../init.d/$name /etc/rc.d/rc3.d/S08$name
    else
        ln -s /usr/lib/systemd/system/$name.service /etc/systemd/system/basic.target.wants/$name.service
    fi
}

save() { "$1-save" >/etc/sysconfig/$1; } # SERVICE

firewall() { # [LINE OF ITS CONFIGURATION ...]: the usual one, where another matter is tried
    service iptables "$@"
    put /etc/sysconfig/iptables '*filter' ':INPUT ACCEPT [0:0]' '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT' \
        COMMIT
    iptables.init iptables start || fail "iptables does not start: $?"
}

udevd() { # runs the real one, as rules in /etc/udev are now
    /usr/lib/systemd/systemd-udevd --resolve-names=never >/run/udevd 2>&1 &
    holders="$holders $!"
    wait_until 10 udevadm control --ping 2>/dev/null || fail "no udevd: $(cat /run/udevd)"
}

hold() { # COMMAND ...: in the background, until the way ends
    "$@" >/dev/null 2>&1 &
    holders="$holders $!"
}

elsewhere() { # COMMAND: in another network namespace, which it keeps
    hold unshare -n sh -c "$1 && : >/run/elsewhere && exec sleep 1000"
    wait_until 10 [ -e /run/elsewhere ] || fail "not done elsewhere: $1"
    rm -f /run/elsewhere
}

let_go() { # of all that can hold nf_conntrack, and of it
    [ -z "$holders" ] || kill $holders
    wait # for the processes; namespaces end later
    holders=
    [ ! -e /sys/module/nf_tables ] || nft flush ruleset
    for family in ip ip6; do
        [ -e /proc/net/${family}_tables_names ] || continue
        for table in $(cat /proc/net/${family}_tables_names); do
            ${family}tables -t $table -F
            ${family}tables -t $table -X
        done
    done
    [ ! -e /sys/module/ip_set ] || ipset destroy
    wait_until 10 unload || fail "modules do not go: $(cat /run/unload /proc/modules)"
}

unload() { # all modules that have to do with rules; what uses others stands before them
    set --
    while read -r module _; do
        case $module in ip*table* | ipt_* | x_tables | xt_* | nf_* | nft_* | nfnetlink | ip_set* | ip_vs | openvswitch)
            set -- "$@" $module ;;
        esac
    done </proc/modules
    [ $# = 0 ] || /bin/rmmod "$@" 2>/run/unload
    [ ! -e /sys/module/nf_conntrack ] && [ ! -e /sys/module/x_tables ] && [ ! -e /sys/module/nf_tables ]
}

tune() { # what nobody but an administrator has set
    sysctl -qw ${n}_max=300000 ${n}_buckets=8192 ${n}_tcp_timeout_established=86400 ${n}_tcp_timeout_time_wait=30 \
        ${n}_generic_timeout=120 ${n}_tcp_loose=0
}

show() { # STATE
    grep -H '' $net/nf_conntrack_* | sed "s|^$net/|$1 |; s/:/ /; / nf_conntrack_count /d; / nf_conntrack_frag6_/d"
}

foretell() { # what doctor says of the host as it is, with settings that would not come back by themselves
    [ -e /sys/module/nf_conntrack ] || fail "nothing has loaded nf_conntrack"
    tune
    show before
    conntrack-mon doctor --json
    status=$?
    [ $status -le 2 ] || fail "doctor: $status"
}

as_user() { # CAPABILITIES [group]: what doctor says to a user who is not root; in the group that may read what root may
    chmod 755 / /bin /lib /etc # the image's folders are their maker's
    caps=$(echo "$1" | sed '/^none$/d; s/[^,]*/+&/g')
    groups=--clear-groups who="a user with $1"
    [ -z "${2:-}" ] || groups='--groups 0' who="$who and root's group"
    as --reuid 65534 --regid 65534 $groups --inh-caps "-all${caps:+,$caps}" --ambient-caps "-all${caps:+,$caps}" \
        conntrack-mon doctor >/run/doctor
    [ $? -le 2 ] || fail "doctor as $who: $(cat /run/doctor)"
    sed "/^$/,\$d; s/^/as $who: /" /run/doctor
}

settled() { # STATE: shows it, when all that comes of a load is done
    [ -e /sys/module/nf_conntrack ] || modprobe nf_conntrack
    [ ! -e /run/udev/control ] || udevadm settle --timeout=10 || fail "udevd is not done"
    show $1
}

# A restart of each service alone; once more without all that kept the module, if that spared it.
prove() {
    foretell
    for service in $services; do
        iptables.init $service stop
        [ -e /sys/module/nf_conntrack ] && spared=stays || spared=unloads
        echo "stop $service: $spared"
        iptables.init $service start || fail "$service does not start: $?"
        [ $spared = stays ] || break
    done
    if [ $spared = stays ]; then
        settled restart
        let_go
        for service in $services; do iptables.init $service start; done
    fi
    settled reload
}

for link in bin sbin; do [ -e /usr/$link ] || ln -s ../bin /usr/$link; done
[ -e /lib/modprobe.d ] || ln -s ../usr/lib/modprobe.d /lib/modprobe.d # Debian's kmod reads this one
for name in iptables-save iptables-restore ip6tables-save ip6tables-restore; do ln -sf xtables-legacy-multi /bin/$name; done
ln -sf procps-sysctl /bin/sysctl # with its path; without one it is busybox's
