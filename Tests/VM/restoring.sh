# shellcheck shell=sh disable=SC1003,SC2016,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# Ways of putting settings back when the module is loaded again, or when the firewall starts.

# shellcheck source=/dev/null
. foretold.sh

configure() { # what most of these put back, or do not
    put /etc/sysctl.d/90-conntrack.conf "${n}_max = 262144" "${n}_tcp_timeout_established = 3600" "${n}_tcp_be_liberal = 1"
}
rule() { # COMMAND: a udev rule for the module's load
    put /etc/udev/rules.d/90-conntrack.rules \
        "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"nf_conntrack\", RUN+=\"$1\""
}
install() { put /etc/modprobe.d/conntrack.conf "install nf_conntrack $1"; } # COMMAND

way default
modprobe nf_conntrack
show reload

way nothing-restores
configure
firewall
prove

# modprobe.d

way hashsize
put /etc/modprobe.d/conntrack.conf 'options nf_conntrack hashsize=32768'
configure
firewall
prove

way hashsize-hexadecimal
put /etc/modprobe.d/conntrack.conf 'options nf-conntrack hashsize=0x2000 expect_hashsize=64'
firewall
prove

way install-sysctl-w
install '/sbin/modprobe --ignore-install nf_conntrack $CMDLINE_OPTS && /sbin/sysctl -w net.netfilter.nf_conntrack_max=262144'
firewall
prove

way install-hashsize
install '/sbin/modprobe --ignore-install nf_conntrack hashsize=16384'
firewall
prove

way install-echo
install '/sbin/modprobe --ignore-install nf_conntrack ; echo 524288 > /proc/sys/net/nf_conntrack_max'
configure
firewall
prove

way install-echo-first
install 'echo 524288 > /proc/sys/net/netfilter/nf_conntrack_max ; /sbin/modprobe --ignore-install nf_conntrack'
firewall
prove

way install-load-file
put /etc/conntrack.txt "${n}_max = 200000" "${n}_udp_timeout = 45"
install '/sbin/modprobe --ignore-install nf_conntrack; /sbin/sysctl -q -p /etc/conntrack.txt'
configure
firewall
prove

way install-mentions-sysctl
install '/sbin/modprobe --ignore-install nf_conntrack && logger "see /etc/sysctl.d"'
configure
firewall
prove

# firewalld's own line, as its package puts it there.
way install-pattern
put /usr/lib/modprobe.d/firewalld-sysctls.conf 'install nf_conntrack /usr/sbin/modprobe --ignore-install nf_conntrack'\
" \$CMDLINE_OPTS && /usr/sbin/sysctl --quiet --pattern 'net[.]netfilter[.]nf_conntrack.*' --system"
configure
put /etc/sysctl.conf "${n}_tcp_timeout_established = 7200" 'net.nf_conntrack_max = 100000'
firewall
prove

# udev, the real one.

way udev-prefix
rule '/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter'
configure
put /etc/sysctl.d/95-other.conf 'net.nf_conntrack_max = 100000'
udevd
firewall
prove

way udev-system
rule '/sbin/sysctl --system'
configure
put /etc/sysctl.conf "${n}_max = 131072"
udevd
firewall
prove

way udev-one-setting
rule '/usr/sbin/sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1'
put /etc/sysctl.d/90-conntrack.conf "${n}_max = 262144"
udevd
firewall
prove

way udev-shell
rule "/bin/sh -c 'echo 65536 > /sys/module/nf_conntrack/parameters/hashsize; sysctl -w ${n}_max=262144'"
udevd
firewall
prove

way udev-remove
put /etc/udev/rules.d/90-conntrack.rules \
    'ACTION=="remove", SUBSYSTEM=="module", KERNEL=="nf_conntrack", \' \
    'RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter"'
configure
udevd
firewall
prove

way udev-and-hashsize
rule '/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter/nf_conntrack_max'
put /etc/modprobe.d/conntrack.conf 'options nf_conntrack hashsize=32768'
configure
udevd
firewall
prove

# IPTABLES_SYSCTL_LOAD_LIST

way load-list
el6
put /etc/sysctl.conf "# ${n}_max = 1" "${n}_max = 262144" "${n}_tcp_timeout_established = 3600" 'kernel.panic = 0'
firewall 'IPTABLES_SYSCTL_LOAD_LIST=".nf_conntrack"'
prove

way load-list-does-not-match
el6
put /etc/sysctl.conf "${n}_max = 262144" "${n}_tcp_timeout_established = 3600"
firewall 'IPTABLES_SYSCTL_LOAD_LIST="net.nf_conntrack"'
prove

way load-list-matches-one
el6
put /etc/sysctl.conf "${n}_max = 262144" "${n}_tcp_timeout_established = 3600"
firewall 'IPTABLES_SYSCTL_LOAD_LIST="bridge _timeout_"'
prove

# EL7's script reads /etc/sysctl.conf only, too.
way load-list-and-sysctl.d
configure
put /etc/sysctl.conf "${n}_max = 131072"
firewall 'IPTABLES_SYSCTL_LOAD_LIST="nf_conntrack"'
prove

# The start of the firewall writes, though its stop has not unloaded anything.
way load-list-while-kept
el6
put /etc/sysctl.conf "${n}_max = 262144"
ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
firewall 'IPTABLES_SYSCTL_LOAD_LIST="nf_conntrack"'
prove

let_go
