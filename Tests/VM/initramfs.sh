#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: initramfs.sh KERNEL_FOLDER BINARY SCENARIOS OUT [PROGRAM[:NAME] ...]   Packs what scenarios need: busybox, kmod,
# iptables, nft, libbpf, the netfilter modules with what they depend on, and conntrack-mon and each PROGRAM with its libraries.
# A PROGRAM that is a folder gives the sysctl configuration in it to /NAME.
set -eu
image=$1 binary=$2 scenarios=$3 out=$4
shift 4
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
release=$(basename "$image"/lib/modules/*)
ln -s bin "$root/sbin" # the kernel calls /sbin/modprobe
mkdir -p "$root"/{bin,proc,sys,dev,run,tmp,etc,root} "$root/lib/modules/$release"

add() { # a program with the libraries it is linked to
    cp "$1" "$root/bin/${2:-$(basename "$1")}"
    ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | while read -r library; do cp -L --parents -n "$library" "$root"; done
}
add "$(command -v busybox)" busybox
add "$(realpath "$binary")" conntrack-mon
add /usr/bin/kmod
for name in modprobe rmmod lsmod insmod; do ln -s kmod "$root/bin/$name"; done
add "$(command -v date)" gdate # knows milliseconds, busybox's does not
add /usr/sbin/nft
add /usr/sbin/conntrack
add /usr/sbin/xtables-legacy-multi
for name in iptables ip6tables; do ln -s xtables-legacy-multi "$root/bin/$name"; done
for program in "$@"; do
    name=$(basename "${program#*:}")
    if [ -d "${program%:*}" ]; then # of trees, whose sysctl configuration is wanted
        mkdir "$root/$name"
        (cd "${program%:*}" && find . -path '*/sysctl.conf' -o -path '*/sysctl.d/*' | cpio -pdm --quiet "$root/$name")
    else
        add "${program%:*}" "$name"
    fi
done
# Loaded at run time, so that ldd does not tell of it.
libbpf=$(ldconfig -p | grep -oE '/[^ ]+/libbpf\.so\.1$' | head -n 1)
cp -L --parents "$libbpf" "$root"
ldd "$libbpf" | grep -oE '/[^ ]+' | while read -r library; do cp -L --parents -n "$library" "$root"; done
plugins=$(dirname "$(find /usr/lib -name libxt_conntrack.so | head -n 1)")
mkdir -p "$root$plugins"
cp -P "$plugins"/lib{xt_{CONNMARK,CT,MASQUERADE,NAT,NOTRACK},ipt_REJECT}.so "$root$plugins"
cp -P "$plugins"/libxt_{connlimit,connmark,conntrack,set,standard,state,tcp,udp}.so "$root$plugins"

modules=$image/lib/modules/$release
cp "$modules"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$release"
rules='ip6?_tables|ip6?table_(filter|mangle|nat|raw)|x_tables|ipt_REJECT'
matches='xt_(CT|MASQUERADE|connlimit|connmark|conntrack|nat|set|state|tcpudp)'
nft='nf_tables|nf_flow_table_inet|nft_(chain_nat|compat|ct|flow_offload|masq|nat|objref)'
others='nf_conntrack(_ftp|_netlink)?|nfnetlink|ip_set_hash_ip|ip_vs|openvswitch|dummy|veth'
wanted="/($rules|$matches|$nft|$others)\\.ko"
# Neither compressed nor signed: to unpack and to verify one takes an emulated CPU a quarter of a second.
grep -E "^[^:]*$wanted" "$modules/modules.dep" | tr -d ':' | tr ' ' '\n' | sort -u | while read -r module; do
    file=$root/lib/modules/$release/${module%.xz}
    mkdir -p "${file%/*}"
    case $module in *.xz) xz -dc "$modules/$module" >"$file" ;; *) cp "$modules/$module" "$file" ;; esac
    strip --strip-debug "$file"
done
/sbin/depmod -b "$root" "$release"

cp "$scenarios" "$root/scenarios"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
for name in modprobe rmmod lsmod insmod; do ln -sf kmod /bin/$name; done
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
hostname vm
ip link set lo up
stty -opost </dev/console 2>/dev/null
echo "scenarios begin"
sh /scenarios
echo "scenarios end: $?"
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$out"
