#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: demo.sh BINARY   About 18 s of `watch` in a network namespace of its own, while flows fill its table and leave it.
set -eu

if [ "${2-}" != inside ]; then
    [ "$(id -u)" = 0 ] && namespace=-n || namespace=-Urn
    exec unshare "$namespace" "$0" "$1" inside
fi

binary=$(realpath "$1") work='' jobs=()
trap 'kill "${jobs[@]}" 2>/dev/null || :; wait; rm -rf "$work"' EXIT # the namespace goes with its last process
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d)

ip link set lo up
nft 'table inet demo { chain input { type filter hook input priority 0; ct state established,related accept; }; }'
cd /proc/sys/net/netfilter
[ -w nf_conntrack_udp_timeout ] || { echo "demo.sh: no writable nf_conntrack settings in here: try as root" >&2; exit 1; }
for timeout in udp_timeout udp_timeout_stream tcp_timeout_time_wait tcp_timeout_close; do echo 3 >"nf_conntrack_$timeout"; done

limit=$(<nf_conntrack_max) # one value for the whole host, read-only here: so the threshold comes down to the traffic
[ "$limit" -ge 1000 ] || { echo "demo.sh: nf_conntrack_max is $limit (0: unlimited): no share of it to show" >&2; exit 1; }
share() { awk -v entries="$1" -v limit="$limit" 'BEGIN { printf "%.5f%%", 100 * entries / limit }'; }

timeout 30 socat -u TCP-LISTEN:7001,fork,backlog=128 /dev/null & jobs+=($!)
timeout 30 socat -u UDP-RECV:7002 /dev/null & jobs+=($!)
echo "# limit $limit, warning at 200 entries ($(share 200)); nothing is tracked yet"
"$binary" watch --interval 1s --duration 18s --format lines --source auto --textfile "$work/demo.prom" \
    --warn "$(share 200)" --crit 50% --warn-hold 1s --clear-hold 2s --clear-margin "$(share 25)" & watch=$! jobs+=($!)
sleep 3

echo "# 100 TCP connections and 200 UDP flows over loopback: usage_high fires after a second"
flows=()
for ((i = 0; i < 100; i++)); do exec {fd}<>/dev/tcp/127.0.0.1/7001; flows+=("$fd"); done
for ((i = 0; i < 200; i++)); do exec {fd}>/dev/udp/127.0.0.1/7002; flows+=("$fd"); done
for ((i = 0; i < 5; i++)); do for fd in "${flows[@]}"; do echo hello >&"$fd"; done; sleep 1; done
cp "$work/demo.prom" "$work/firing.prom" # the last one, of a stopped monitor, has no gauges

echo "# all closed: in 3 s they have timed out, and usage_high resolves 2 s later"
for fd in "${flows[@]}"; do exec {fd}>&-; done
sleep 4
conntrack -L >/dev/null 2>&1 # a dump drops what has timed out at once; the kernel's own sweep can take a minute
wait "$watch"

echo "# from the textfile for node_exporter, while it fired:"
grep -E '^conntrack_(entries|entries_limit|usage_ratio)[ {]|alert="usage_high"' "$work/firing.prom"
