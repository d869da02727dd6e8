# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in a virtual machine (Tests/VM/boot.sh): how long it takes from modprobe's beginning, which is
# before the module is back, to the notice. The notice is there before modprobe ends.

scenario reload
firewall_start
tune
watch --settle 200ms
for _ in 1 2 3 4 5; do
    firewall_stop
    sleep 1
    : >"$said"
    begun=$(now)
    modprobe nf_conntrack
    await module_reloaded
    measured 'modprobe begun to module_reloaded' "$begun" module_reloaded
    firewall_start
    sleep 1
done
stop_watch
