# shellcheck shell=sh disable=SC2034,SC2086,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# Restarts of the firewall on a host with 2 GB, where the limit comes back as 65536.

scenario restart
firewall_start
tune
traffic 5
verdict before
watch
firewall_stop
verdict between
begun=$(now)
modprobe nf_conntrack
back=$(now)
firewall_start
await module_reloaded
measured 'modprobe begun to module_reloaded' "$begun" module_reloaded
measured 'modprobe ended to module_reloaded' "$back" module_reloaded
await limit_dropped
verdict after
set_limit 1048576
await 'RESOLVED limit_dropped'
await 'WARNING parameters_reverted'
sysctl -qw ${netfilter}_tcp_timeout_established=86400 ${netfilter}_tcp_timeout_time_wait=30 ${netfilter}_generic_timeout=120
await 'RESOLVED parameters_reverted' 15
verdict 'at the end'
finish

scenario spared
firewall_start
tune
ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
traffic 5
verdict before
watch --settle 200ms --interval 500ms
firewall_stop
verdict between
firewall_start
sleep 1
verdict after
finish
ip6tables -F

scenario load-list
firewall_start
tune
sysctl -a 2>/dev/null | grep -E "^$netfilter.*(max|timeout)" >/run/list
traffic 5
watch
firewall_stop
firewall_start
sysctl -qp /run/list
await limit_restored
verdict after
finish

scenario stop
firewall_start
set_limit 1048576
traffic 5
verdict before
watch --settle 200ms --unload-hold 1s
firewall_stop
await module_unloaded
verdict between
firewall_start
await 'RESOLVED module_unloaded'
await limit_dropped
verdict after
finish

scenario three-reloads
firewall_start
set_limit 1048576
traffic 5
watch
firewall_stop
modprobe nf_conntrack
for _ in 1 2; do
    modprobe -r nf_conntrack
    modprobe nf_conntrack
done
await limit_dropped
finish

scenario between-looks
firewall_start
set_limit 1048576
traffic 5
watch --sample 2s --interval 2s --settle 200ms
firewall_stop
modprobe nf_conntrack
back=$(now)
await module_reloaded
measured 'modprobe ended to module_reloaded, sampled every 2 s' "$back" module_reloaded
firewall_start
await limit_dropped
verdict after
finish

scenario without-uevents
firewall_start
set_limit 1048576
wrapper='unshare -Urn'
watch --settle 200ms --events none --interval 200ms
await nothing_tracked
firewall_stop
firewall_start
await limit_dropped
finish
wrapper=
