# shellcheck shell=sh disable=SC2016,SC2086
# SPDX-License-Identifier: GPL-3.0-or-later
# Ways of holding nf_conntrack, and whether a stop of the firewall unloads it.

# shellcheck source=/dev/null
. foretold.sh

ct='-m conntrack --ctstate ESTABLISHED -j ACCEPT'
track() { "$1" -A INPUT $ct; } # iptables or ip6tables

way default
modprobe nf_conntrack
show reload

# Rules of the service that is restarted.

way filter
service iptables
track iptables
save iptables
prove

way state-match
service iptables 'IPTABLES_MODULES_UNLOAD="yes"'
iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT
save iptables
prove

way el6
el6
service iptables 'IPTABLES_MODULES_UNLOAD="yes"'
track iptables
save iptables
prove

way nat
service iptables
iptables -t nat -A POSTROUTING -o lo -j MASQUERADE
save iptables
prove

way raw-helper
service iptables
iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
save iptables
prove

way raw-notrack
service iptables
iptables -t raw -A PREROUTING -p udp -j NOTRACK
track iptables
save iptables
prove

way connlimit
service iptables
iptables -A INPUT -p tcp --syn -m connlimit --connlimit-above 20 -j REJECT
save iptables
prove

way connmark
service iptables
iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark
iptables -t mangle -A PREROUTING -m connmark --mark 1 -j ACCEPT
save iptables
prove

way unused-chain
service iptables
iptables -N unused
iptables -A unused $ct
save iptables
prove

way empty-nat-table
service iptables
track iptables
save iptables
iptables -t nat -nL >/dev/null
prove

way ipset
service iptables
ipset create friends hash:ip
ipset add friends 192.0.2.1
iptables -A INPUT -m set --match-set friends src -m conntrack --ctstate NEW -j ACCEPT
save iptables
prove

way unload-no
service iptables 'IPTABLES_MODULES_UNLOAD="no"'
track iptables
save iptables
prove

# The other family.

way both-families
service iptables
service ip6tables
track iptables
track ip6tables
save iptables
save ip6tables
prove

way both-families-one-tracks
service iptables
service ip6tables
track iptables
ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT
save iptables
save ip6tables
prove

way ip6tables-not-saved
service iptables
track iptables
track ip6tables
save iptables
prove

way ip6tables-saved-not-loaded
service iptables
track iptables
track ip6tables
save iptables
save ip6tables
ip6tables -F
prove

way ip6tables-nat
service iptables
track iptables
ip6tables -t nat -A POSTROUTING -o lo -j MASQUERADE
save iptables
prove

way ip6tables-empty-table
service iptables
track iptables
ip6tables -nL >/dev/null
save iptables
prove

# nft.

way nft-tracks
service iptables
track iptables
save iptables
nft 'table inet f { chain i { type filter hook input priority 0; ct state established accept; }; }'
prove

way nft-does-not-track
service iptables
track iptables
save iptables
nft 'table inet f { chain i { type filter hook input priority 0; tcp dport 22 accept; }; }'
prove

way nft-helper-object
service iptables
track iptables
save iptables
nft 'table ip f { ct helper h { type "ftp" protocol tcp; }; }'
prove

way nft-map-of-marks
service iptables
track iptables
save iptables
nft 'table ip f { map m { type mark : verdict; }; chain i { type filter hook input priority 0; ct mark vmap @m; }; }'
prove

way nft-masquerade
service iptables
track iptables
save iptables
nft 'table ip f { chain p { type nat hook postrouting priority 100; masquerade; }; }'
prove

way nft-empty-nat-chain
service iptables
track iptables
save iptables
nft 'table ip f { chain p { type nat hook postrouting priority 100; }; }'
prove

way nft-flowtable
service iptables
track iptables
save iptables
nft 'table inet f { flowtable t { hook ingress priority 0; devices = { lo }; };
    chain w { type filter hook forward priority 0; meta l4proto tcp flow add @t; }; }'
prove

way iptables-nft
service iptables
track iptables
save iptables
iptables-nft -A INPUT $ct
prove

# Others.

way other-namespace
service iptables
track iptables
save iptables
elsewhere "iptables -A INPUT $ct"
prove

way other-namespace-nat-chain
service iptables
track iptables
save iptables
elsewhere 'iptables -t nat -N own'
prove

way other-namespace-nft
service iptables
track iptables
save iptables
elsewhere "nft 'table ip f { chain i { ct state established accept; }; }'"
prove

way helper-by-hand
service iptables
track iptables
save iptables
modprobe nf_conntrack_ftp
prove

way ip-vs-by-hand
service iptables
track iptables
save iptables
modprobe ip_vs
prove

way openvswitch-by-hand
service iptables
track iptables
save iptables
modprobe openvswitch
prove

way listener
service iptables
track iptables
save iptables
modprobe nf_conntrack_netlink
hold conntrack -E
wait_until 10 grep -qE '^[0-9a-f]+ +12 +[0-9]+ +0*7 ' /proc/net/netlink || fail "conntrack -E does not listen"
prove

# Who may look: a service's own user. Nothing but the names of the tables is kept from it.

way packaged-user
service iptables
track iptables
track ip6tables
save iptables
tune
as_user none
as_user net_admin
as_user net_admin,dac_read_search
as_user net_admin group
prove

let_go
