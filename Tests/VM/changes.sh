# shellcheck shell=sh disable=SC2034,SC2086,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# What else may happen to the limit, seen or unseen, on a host with 2 GB.

configure() { # LIMIT
    echo "net.netfilter.nf_conntrack_max = $1" >/etc/sysctl.d/90-conntrack.conf
}

scenario above-configuration
configure 262144
firewall_start
set_limit 1048576
traffic 5
verdict before
watch --settle 2s
firewall_stop
firewall_start
sysctl -qp /etc/sysctl.d/90-conntrack.conf
await limit_dropped
verdict after
finish

scenario sysctl-write
firewall_start
set_limit 1048576
traffic 5
verdict before
watch
written=$(now)
set_limit 500000
await limit_dropped
measured 'write to limit_dropped' "$written" limit_dropped
verdict between
set_limit 1048576
await 'RESOLVED limit_dropped'
set_limit 2097152
await limit_changed
verdict after
finish

scenario sysctl-write-configured
configure 262144
firewall_start
set_limit 1048576
traffic 5
watch
set_limit 524288
await '1048576 -> 524288'
verdict 'at twice what is configured'
set_limit 262144
await '524288 -> 262144'
verdict 'at what is configured'
set_limit 200000
await limit_dropped
verdict 'below what is configured'
set_limit 262144
await 'RESOLVED limit_dropped'
finish

scenario not-applied
firewall_start
configure 1048576
traffic 5
verdict before
watch --boot-grace 0s --interval 200ms
await limit_not_applied
verdict between
sysctl -qp /etc/sysctl.d/90-conntrack.conf
await 'RESOLVED limit_not_applied'
verdict after
finish

scenario not-watching
firewall_start
tune
traffic 5
watch --state $state
stop_watch
firewall_stop
firewall_start
traffic 5
watch --state $state --boot-grace 0s --interval 200ms
await limit_dropped
verdict between
set_limit 1048576
await 'RESOLVED limit_dropped'
await 'WARNING parameters_reverted'
finish

# The state file of another boot stands for a reboot.
scenario reboot
firewall_start
set_limit 1048576
traffic 5
watch --state $state
stop_watch
sed -i 's/"boot_id" *: *"[^"]*"/"boot_id": "00000000-0000-4000-8000-000000000000"/' $state
set_limit 65536
watch --state $state --boot-grace 0s --interval 200ms
await limit_dropped
verdict between
set_limit 1048576
await 'RESOLVED limit_dropped'
finish

# Configuration that is applied late in the boot.
scenario reboot-restored
firewall_start
set_limit 1048576
traffic 5
watch --state $state
stop_watch
sed -i 's/"boot_id" *: *"[^"]*"/"boot_id": "00000000-0000-4000-8000-000000000000"/' $state
set_limit 65536
watch --state $state --boot-grace $(($(cut -d . -f 1 /proc/uptime) + 6))s --interval 200ms
set_limit 1048576
await limit_restored
verdict after
finish
