# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in a virtual machine (Tests/VM/boot.sh): how long after nf_conntrack is back the notice of its reload comes.

scenario reload
firewall_start
tune
watch --settle 200ms
for _ in 1 2 3 4 5 6 7 8; do
    firewall_stop
    sleep 1
    : >"$said"
    modprobe nf_conntrack &
    # Back is when the limit is there. It is looked for without a pause, and the clock has steps of 10 ms.
    until [ -e /proc/sys/net/netfilter/nf_conntrack_max ]; do :; done
    back=$(now)
    await module_reloaded
    measured 'module back to module_reloaded' "$back" module_reloaded
    wait $!
    firewall_start
    sleep 1
done
stop_watch
