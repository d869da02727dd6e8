# shellcheck shell=sh disable=SC2034,SC2086,SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
# A host with 512 MB, whose default is 4096.

scenario hashsize
firewall_start
set_limit 1048576
traffic 5
watch --settle 200ms
firewall_stop
modprobe nf_conntrack hashsize=8192
firewall_start
await limit_dropped
verdict after
finish

scenario default
firewall_start
set_limit 1048576
traffic 5
watch --settle 200ms
firewall_stop
firewall_start
await limit_dropped
verdict after
finish

scenario absent
verdict before
watch --interval 5s # an empty table is news only after three samples
await module_absent
firewall_start
set_limit 1048576
traffic 5
await limit_changed
verdict after
finish

scenario events
modprobe nf_conntrack_netlink
firewall_start
traffic 1 # from before the events
watch --settle 200ms --interval 500ms
traffic 5
firewall_stop
firewall_start
await module_reloaded
traffic 7
await 'WARNING events_silent'
verdict between
modprobe nf_conntrack_netlink
await 'RESOLVED events_silent'
traffic 3
verdict after
finish

scenario load-modules
firewall_start
traffic 1
watch --load-modules --source netlink --settle 500ms --interval 500ms
await 'events by netlink'
traffic 5
firewall_stop
firewall_start
await module_reloaded
wait_until 10 [ -e /sys/module/nf_conntrack_netlink ] || fail "nf_conntrack_netlink does not come back"
traffic 3
verdict after
finish

scenario harmless
modprobe nf_conntrack_netlink
firewall_start
traffic 5
watch --sample 10ms --settle 1m # one notice for all
firewall_stop
for round in $(seq 20); do
    modprobe nf_conntrack_netlink
    firewall_start
    firewall_stop || fail "stop $round failed"
    usleep 100000
    [ ! -e /sys/module/nf_conntrack ] || fail "stop $round: nf_conntrack is there"
done
finish

scenario budget
modprobe nf_conntrack_netlink
firewall_start
watch --sample 10ms --settle 200ms --interval 200ms --event-budget 1% --event-cost 1ms
for round in $(seq 3); do
    # Far above the budget, so that the groups are left and joined again all the time.
    traffic 50
    await event_budget_exceeded
    firewall_stop || fail "stop $round failed"
    usleep 1500000 # longer than any time away
    [ ! -e /sys/module/nf_conntrack ] || fail "stop $round: nf_conntrack is there"
    firewall_start
    usleep 1500000
    [ ! -e /sys/module/nf_conntrack_netlink ] || fail "start $round: nf_conntrack_netlink is there"
    modprobe nf_conntrack_netlink
done
await 'NOTICE event_budget_met' 30
traffic 3
stop_watch
echo "--- watch"
grep -oE 'NOTICE event_budget_[a-z]*|WARNING events_[a-z]*|RESOLVED events_[a-z]*' $said | sort -u
echo "--- counters"
grep -E '^conntrack_(module_reloads|events_lost)_total' $textfile | grep -v '} 0$'
