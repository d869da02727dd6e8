# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What every scenario begins with. Runs in the machine, under busybox sh.
#
# A scenario prints its name, what `check` says on the way, whatever goes wrong, and at its end all that watch wrote to
# stderr and the counters of its last textfile.
# shellcheck disable=SC2034,SC2086  # used by the scenarios; no value here has a blank that does not separate

run=/run/conntrack-mon # watch leaves its status here, and check finds it
said=/run/said textfile=/run/conntrack.prom state=/root/state
netfilter=net.netfilter.nf_conntrack

fail() { echo "FAILED: $1"; } # whatever the golden file says

scenario() { # NAME: begins one, on a host without firewall, module and configuration
    echo "=== $1"
    firewall_stop
    modprobe -rq nf_conntrack_netlink
    rm -rf /etc/sysctl.d /etc/modprobe.d "$run" "$said" "$textfile" "$state"
    mkdir -p /etc/sysctl.d /etc/modprobe.d "$run"
    [ ! -e /sys/module/nf_conntrack ] || fail "nf_conntrack is left from the scenario before"
}

# kmod's, not busybox's own.
modprobe() { /bin/modprobe "$@"; }

# The firewall: EL6's init script of iptables, as far as it matters.

rmmod_r() { # MODULE: first those that use it, then itself
    for user in $(sed -n "s/^$1 [0-9]* [0-9]* \(.*\), .*/\1/p" /proc/modules | tr ',' ' '); do rmmod_r "$user"; done
    ! grep -q "^$1 " /proc/modules || modprobe -r "$1"
}

firewall_stop() {
    iptables -F
    for module in $(grep -o '^iptable_[a-z]*' /proc/modules) ip_tables x_tables nf_conntrack; do rmmod_r "$module"; done
}

firewall_start() {
    iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
}

set_limit() { sysctl -qw $netfilter"_max=$1"; }

tune() { # what a busy host's administrator has set by hand
    set_limit 1048576
    sysctl -qw ${netfilter}_tcp_timeout_established=86400 ${netfilter}_tcp_timeout_time_wait=30 ${netfilter}_generic_timeout=120
}

traffic() { # COUNT: as many UDP connections over lo
    traceroute -n -m 1 -q "$1" 127.0.0.1 >/dev/null
}

# The monitor.

watch() { # ARGUMENT ...: runs it in the background, and waits for its first look to be published
    monitor ${wrapper:-} conntrack-mon watch --format none --textfile $textfile "$@"
}

monitor() {
    rm -f $textfile
    "$@" 2>>$said &
    monitor=$!
    wait_until 10 [ -e $textfile ] || { cat $said; fail "watch does not begin"; }
}

wait_until() { # SECONDS COMMAND ...: looks every 50 ms
    tries=$(($1 * 20))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        usleep 50000
    done
}

await() { # PATTERN [SECONDS]: until watch has said it
    wait_until "${2:-10}" grep -qE "$1" $said || fail "not said within ${2:-10}s: $1"
}

verdict() { # WHEN: what check says
    usleep 300000 # status.json has a writer of its own
    conntrack-mon check >/run/check
    echo "check $1: $?, $(cut -d '|' -f 1 /run/check)"
}

now() { # milliseconds since boot; no program is started for it, which takes a tenth of a second here
    read -r uptime _ </proc/uptime
    echo "${uptime%.*}${uptime#*.}0"
}
epoch=$(($(gdate +%s%3N) - $(now)))

measured() { # WHAT SINCE PATTERN: from the moment SINCE to the time of the last line like PATTERN
    line=$(grep -E "$3" $said | tail -n 1)
    echo "measured: $1: $(($(gdate -d "${line%% *}" +%s%3N) - epoch - $2)) ms"
}

stop_watch() {
    kill $monitor
    wait $monitor || fail "watch ended with $?"
}

finish() { # stops watch and tells all
    stop_watch
    echo "--- watch"
    cat $said
    echo "--- counters"
    grep -E '^conntrack_(module_reloads|limit_drops|events)_total' $textfile | grep -v '} 0$'
}
