# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the programs that apply sysctl configuration make of it: systemd-sysctl, and `sysctl --system` of procps. boot.sh takes
# them after BINARY: 512M /lib/systemd/systemd-sysctl /sbin/sysctl:procps-sysctl Tests/Fixtures/doctor:fixtures
#
# A tree prints its name, doctor's report, and each setting that can be written, "STATE NAME VALUE": before either has run,
# after systemd-sysctl, and after `sysctl --system`.
# shellcheck disable=SC2086,SC2154,SC2231

etc=/etc/sysctl.d run=/run/sysctl.d local=/usr/local/lib/sysctl.d usr=/usr/lib/sysctl.d lib=/lib/sysctl.d
n=net.netfilter.nf_conntrack

tree() { # NAME: begins one, without any file
    echo "=== $1"
    rm -rf $etc $run $local $usr $lib /etc/sysctl.conf
    mkdir -p $etc $run $local $usr $lib
}

put() { # FILE LINE ...
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}

compare() { # what doctor says of the tree, and what the others do
    reset
    show before
    conntrack-mon doctor --json
    status=$?
    [ $status -le 2 ] || fail "doctor: $status"
    applied systemd systemd-sysctl
    reset
    applied procps procps-sysctl --system
}

applied() { # STATE COMMAND ...: runs it, which complains of what it can't apply
    state=$1
    shift
    "$@" >/run/said 2>&1
    status=$?
    [ $status -lt 126 ] || fail "$*: $(cat /run/said)"
    show "$state"
}

# In one piece: what is read byte by byte ends after the first one.
show() { # STATE
    grep -H '' $names | sed "s/^/$1 /; s/:/ /"
}

reset() { # to what the module began with
    while read -r _ name value; do echo "$value" >"$name"; done </run/loaded
}

mkdir -p /run/systemd/system # by which a host is known to be systemd's
modprobe nf_conntrack
cd /proc/sys/net/netfilter || exit
names=$(echo nf_conntrack_* | tr ' ' '\n' | grep -v -e _count -e _frag6_)
show loaded >/run/loaded

# Files.

tree order
put $etc/10-a.conf "${n}_max = 1001" "${n}_udp_timeout = 41"
put $run/30-c.conf "${n}_max = 1003" "${n}_icmp_timeout = 42"
put $local/40-d.conf "${n}_generic_timeout = 43" "${n}_icmp_timeout = 44"
put $usr/50-b.conf "${n}_max = 1002" "${n}_udp_timeout = 45"
put $lib/20-e.conf "${n}_icmpv6_timeout = 46" "${n}_udp_timeout = 47"
put $etc/99-f.txt "${n}_max = 1004"
put $etc/Z.conf "${n}_udp_timeout_stream = 48"
put $etc/a.conf "${n}_udp_timeout_stream = 49"
put $etc/_.conf "${n}_udp_timeout_stream = 50"
compare

tree hidden-file
put $etc/.99-a.conf "${n}_max = 1001" "${n}_udp_timeout = 41"
put $etc/10-a.conf "${n}_max = 1002" "${n}_acct = 1"
put $etc/10-a.conf~ "${n}_acct = 0"
put $etc/10-a.conf.dpkg-new "${n}_acct = 0"
compare

tree same-name
put $usr/50-a.conf "${n}_max = 1001" "${n}_udp_timeout = 41"
put $run/50-a.conf "${n}_max = 1002"
put $usr/60-b.conf "${n}_icmp_timeout = 42" "${n}_generic_timeout = 43"
put $local/60-b.conf "${n}_icmp_timeout = 44"
put $lib/70-c.conf "${n}_icmpv6_timeout = 45" "${n}_acct = 1"
put $usr/70-c.conf "${n}_icmpv6_timeout = 46"
put $run/80-d.conf "${n}_udp_timeout_stream = 47" "${n}_timestamp = 1"
put $etc/80-d.conf "${n}_udp_timeout_stream = 48"
compare

tree masks
put $usr/50-null.conf "${n}_max = 1001"
ln -s /dev/null $etc/50-null.conf
put $usr/51-empty.conf "${n}_udp_timeout = 41"
: >$etc/51-empty.conf
put $usr/52-dangling.conf "${n}_icmp_timeout = 42"
ln -s nothing $etc/52-dangling.conf
put $usr/53-loop.conf "${n}_generic_timeout = 43"
ln -s 53-loop.conf $run/53-loop.conf
put $usr/54-folder.conf "${n}_icmpv6_timeout = 44"
mkdir $etc/54-folder.conf
put $etc/54-folder.conf/x.conf "${n}_acct = 1"
put $usr/90-last.conf "${n}_timestamp = 1"
compare

tree sysctl-conf
put /etc/sysctl.conf "${n}_max = 1001"
put $etc/50-a.conf "${n}_udp_timeout = 41"
compare

tree sysctl-conf-linked
put /etc/sysctl.conf "${n}_max = 1001" "${n}_udp_timeout = 41"
ln -s ../sysctl.conf $etc/99-sysctl.conf
put $etc/50-a.conf "${n}_max = 1002"
put $etc/99-z.conf "${n}_udp_timeout = 42"
compare

tree sysctl-conf-refused
put /etc/sysctl.conf "${n}_max = 1001" "${n}_max ="
ln -s ../sysctl.conf $etc/99-sysctl.conf
compare

tree sysctl-conf-masked
put /etc/sysctl.conf "${n}_max = 1001"
put $usr/99-sysctl.conf "${n}_max = 1002"
ln -s /dev/null $etc/99-sysctl.conf
compare

# Lines.

tree separators
put $etc/a.conf 'net/netfilter/nf_conntrack_udp_timeout = 41' '/net/netfilter/nf_conntrack_icmp_timeout=42' \
    'net//netfilter/nf_conntrack_generic_timeout=43' 'net..netfilter.nf_conntrack_icmpv6_timeout=44' \
    '.net.netfilter.nf_conntrack_udp_timeout_stream=45' 'net/./netfilter/nf_conntrack_gre_timeout=46' \
    'net/netfilter.nf_conntrack_acct=1' 'net.netfilter/nf_conntrack_timestamp=1' \
    'net.netfilter.nf_conntrack_tcp_timeout_close.=47' 'net/netfilter/nf_conntrack_tcp_timeout_last_ack/=48' \
    '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait=49'
compare

tree blanks-and-comments
put $etc/a.conf '# net.netfilter.nf_conntrack_max = 1001' '; net.netfilter.nf_conntrack_max = 1002' \
    "   # ${n}_max = 1003" "	;${n}_max = 1004" '' '   ' '#' \
    "	  ${n}_udp_timeout	 = 	41 	" "${n}_icmp_timeout=42 # why" "${n}_generic_timeout = 43 44" \
    "${n}_icmpv6_timeout=45#why" "${n}_udp_timeout_stream = 46; 47" "${n} _acct = 1" "${n}_timestamp = = 1"
printf '%s' "${n}_gre_timeout = 48" >$etc/b.conf
printf '%s\r\n' "${n}_gre_timeout_stream = 49" "# comment" "${n}_tcp_timeout_close = 50" >$etc/c.conf
compare

tree carriage-returns
printf '%s\r' "${n}_max = 1001" "${n}_udp_timeout = 41" >$etc/a.conf
compare

tree no-assignments
put $etc/a.conf "${n}_max 1001" "${n}_max: 1002" '= 1003' '-' '-= 1004' 'nonsense' "${n}_max" "${n}_max+=1005" \
    "export ${n}_max=1006" "sysctl -w ${n}_max=1007" '[Section]' "${n}_udp_timeout = 41"
compare

tree failure-ignored
put $etc/a.conf "-${n}_max = 1001" "- ${n}_udp_timeout = 41" "-net/netfilter/nf_conntrack_acct=1" \
    "-net.netfilter.nf_conntrack_nothing = 1" "net.netfilter.nf_conntrack_nothing_else = 1" "${n}_generic_timeout = 43"
compare

tree numbers
put $etc/a.conf "${n}_max = 0x400" "${n}_udp_timeout = 051" "${n}_icmp_timeout = 0X2a" "${n}_generic_timeout = 00" \
    "${n}_icmpv6_timeout = 08" "${n}_acct = +1" "${n}_udp_timeout_stream = 0x" "${n}_gre_timeout = 4e1" \
    "${n}_gre_timeout_stream = 1_000" "${n}_tcp_timeout_close = 10s" "${n}_buckets = 8192" "${n}_events = 1"
compare

tree same-number
put $etc/a.conf "${n}_max = 0x400" "${n}_udp_timeout = 41"
put /etc/sysctl.conf "${n}_max = 1024" "${n}_udp_timeout = 41 # why"
compare

# Values that the kernel refuses.

tree refused
put $etc/a.conf "${n}_max = \"1001\"" "${n}_udp_timeout = '41'" "${n}_icmp_timeout =" "${n}_generic_timeout = yes" \
    "${n}_icmpv6_timeout = 99999999999999999999" "${n}_acct = on"
compare

tree refused-later
put $etc/a.conf "${n}_max = 1001" "${n}_udp_timeout = 41" 'net.nf_conntrack_max = "1002"' "${n}_udp_timeout = \"42\""
put /etc/sysctl.conf "${n}_icmp_timeout = 43" "${n}_icmp_timeout ="
compare

tree refused-glob
put $etc/a.conf "${n}_tcp_timeout_* = 41" "${n}_tcp_timeout_c* = \"42\""
compare

tree out-of-range
put $etc/a.conf "${n}_max = 4294967295" "${n}_expect_max = 2147483647" "${n}_udp_timeout = 2147483648"
compare

# Globs.

tree glob-between
put $etc/a.conf "${n}_tcp_timeout_close = 41" "-${n}_tcp_timeout_syn_sent" "${n}_tcp_timeout_* = 42" \
    "${n}_tcp_timeout_time_wait = 43" "-${n}_tcp_timeout_last_ack"
compare

tree glob-files
put $usr/10-a.conf "${n}_tcp_timeout_close = 41" "-${n}_tcp_timeout_syn_sent"
put $etc/20-b.conf "${n}_tcp_timeout_* = 42"
put $run/30-c.conf "${n}_tcp_timeout_time_wait = 43"
put /etc/sysctl.conf "${n}_tcp_timeout_last_ack = 44" "${n}_tcp_timeout_syn_* = 45"
compare

tree globs
put $etc/a.conf "${n}_*_timeout = 41" "net/netfilter/nf_conntrack_icmp*_timeout = 42" "${n}_tcp_timeout_clos? = 43" \
    "${n}_tcp_timeout_[ft]* = 44" "${n}_udp_[!a-s]* = 45" 'net.*.nf_conntrack_acct = 1' 'net.nf_conntrack_tim* = 1' \
    '*/nf_conntrack_tcp_loose = 0' "/net/netfilter/nf_conntrack_sctp_timeout_* = 46" \
    "net/netfilter/nf_conntrack_dccp_timeout_* = 47"
compare

tree glob-repeated
put $etc/a.conf "${n}_tcp_timeout_* = 41" "${n}_tcp_timeout_c* = 42" "${n}_tcp_timeout_* = 41" \
    "${n}_udp_* = 43" "${n}_udp_timeout* = 44" "${n}_udp_* = 45" "-${n}_icmp*" "${n}_icmp_timeout = 46"
compare

tree glob-taken-back
put $etc/a.conf "${n}_tcp_timeout_* = 41" "-${n}_tcp_timeout_*" "-${n}_udp_*" "${n}_udp_timeout = 42"
compare

tree glob-other-spelling
put $etc/a.conf "/net/netfilter/nf_conntrack_tcp_timeout_close = 41" "net//netfilter/nf_conntrack_tcp_timeout_last_ack = 42" \
    "${n}_tcp_timeout_* = 43"
compare

# One setting more than once.

tree duplicates
put $etc/a.conf "${n}_max = 1001" "${n}_max = 1002" "${n}_max = 1001" "${n}_udp_timeout = 41" \
    "-net/netfilter/nf_conntrack_udp_timeout = 42"
put $etc/b.conf "${n}_icmp_timeout = 43" "-${n}_icmp_timeout" "-${n}_generic_timeout" "${n}_generic_timeout = 44"
compare

tree two-names
put $etc/a.conf "${n}_max = 1001" 'net.nf_conntrack_max = 1002'
compare

tree two-names-repeated
put $etc/a.conf "${n}_max = 1001" 'net.nf_conntrack_max = 1002' "${n}_max = 1001"
compare

tree two-names-overridden
put $etc/a.conf "${n}_max = 1001" 'net.nf_conntrack_max = 1002' "${n}_max = 1003" "-${n}_max"
compare

tree two-names-glob
put $etc/a.conf "${n}_max = 1001" 'net.nf_conntrack_ma* = 1002'
compare

tree two-names-excluded
put $etc/a.conf "-${n}_max" 'net.netfilter.nf_conntrack_ma* = 1001' 'net.nf_conntrack_* = 1002'
compare

# More of globs and names.

tree glob-classes
put $etc/a.conf "${n}_tcp_timeout_[[:alpha:]]*[[:lower:]] = 41" "${n}_tcp_timeout_c[[:upper:]]* = 42" \
    "${n}_[[:lower:]][[:alpha:]]p_timeout = 43" "${n}_icmpv[[:digit:]]_timeout = 44" "${n}_gre_timeout[![:alnum:]]* = 45" \
    "${n}_generic[[:punct:]]timeout = 46" "${n}_ac[[:nothing:]]t = 1"
compare

tree glob-brackets
put $etc/a.conf "${n}_tcp_timeout_[a-e]* = 41" "${n}_udp_timeout[] = 42" "${n}_icmp[_timeout = 43" \
    "${n}_icmpv[!a-z]_timeout = 44" "${n}_generic[]_]timeout = 45" "${n}_gre_timeou[^a] = 46" "${n}_ac\\ct* = 1" \
    "${n}_times[t-]amp* = 1"
compare

tree braces
put $etc/a.conf "${n}_{udp,icmp}_timeout = 41" "${n}_{udp,icmp}_timeou* = 42" "${n}_generic_timeout = 43"
compare

tree parents
put $etc/a.conf 'net/netfilter/../netfilter/nf_conntrack_udp_timeout = 41' \
    '../sys/net/netfilter/nf_conntrack_icmp_timeout = 42' 'net/ipv4/../netfilter/nf_conntrack_generic_timeout = 43' \
    'net/netfilter/nf_conntrack_udp_timeout/../nf_conntrack_acct = 1' "${n}_timestamp = 1"
compare

tree parents-in-globs
put $etc/a.conf 'net/*/../netfilter/nf_conntrack_udp_timeout = 41' 'net/netfilter/../*/nf_conntrack_icmp_timeout = 42' \
    '*/../net/netfilter/nf_conntrack_generic_timeout = 43'
compare

tree many-stars
put $etc/a.conf 'net/**/nf_conntrack_udp_timeout = 41' 'net/net*/nf_*_icmp_* = 42' '*/*/nf_conntrack_generic_timeou? = 43' \
    'net.*filter.nf_conntrack_acct = 1' '**/nf_conntrack_timestamp = 1'
compare

tree invisible
printf '\357\273\277%s\n' "${n}_max = 1001" "${n}_udp_timeout = 41" >$etc/a.conf
printf '%s\302\240= 42\n%s =\302\24043\n%s = 44\302\240\n' ${n}_icmp_timeout ${n}_generic_timeout ${n}_gre_timeout >$etc/b.conf
compare

tree other-spellings
put $etc/a.conf 'NET.NETFILTER.NF_CONNTRACK_MAX = 1001' "${n}_UDP_timeout = 41" "${n}_icmp_timeout: 42" \
    "${n}_generic_timeout 43" "${n}_acct = 1;" "sysctl -w ${n}_timestamp=1" "\"${n}_gre_timeout\" = 44" \
    'net.ipv4.netfilter.ip_conntrack_max = 1002' 'net.ipv4.nf_conntrack_max = 1003' "${n}_count = 5"
compare

# The hosts that doctor is tried on.

folders='etc run usr/local/lib usr/lib lib'
hosts=$(cd /fixtures && find . -name sysctl.conf -o -name sysctl.d |
    sed -nE "s|^./||; s!/($(echo $folders | tr ' ' '|'))/sysctl\..*!!p" | sort -u)
for host in $hosts; do
    tree "host $host"
    for folder in $folders; do
        for path in /fixtures/$host/$folder/sysctl.*; do
            [ ! -e "$path" ] || cp -a "$path" /$folder/
        done
    done
    compare
done
