#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: deps.sh run|test|gate|demo|bench|lint ...   Installs the Debian packages of these groups that are missing.
set -eu

packages=
for group in "$@"; do
    case $group in
    run) # the libraries, what linking needs, what the Swift toolchain itself loads
        packages="$packages libnetfilter-conntrack-dev libmnl-dev libbpf-dev g++ binutils libc6-dev"
        # git without recommends has no certificates to clone with
        packages="$packages git ca-certificates libcurl4 libncurses6 libsqlite3-0 libxml2"
        ;;
    test) # prometheus: promtool
        packages="$packages conntrack nftables iproute2 strace util-linux procps systemd udev ipset tmux"
        packages="$packages prometheus prometheus-node-exporter"
        packages="$packages qemu-system-x86 busybox-static kmod cpio iptables libbpf-dev"
        ;;
    bench)
        packages="$packages libbpf-dev conntrack nftables prometheus-node-exporter valgrind"
        packages="$packages qemu-system-x86 busybox-static kmod cpio iptables"
        ;;
    gate) packages="$packages valgrind" ;;
    demo) packages="$packages conntrack nftables iproute2 socat util-linux" ;;
    lint) packages="$packages clang-format cppcheck shellcheck" ;;
    *) echo "usage: deps.sh run|test|gate|demo|bench|lint ..." >&2 && exit 64 ;;
    esac
done

missing=
for package in $(echo "$packages" | tr ' ' '\n' | sort -u); do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "deps.sh: missing packages, and neither root nor sudo to install them:$missing" >&2
    exit 1
fi

echo "# installing$missing"
# Nothing that is installed may start a service: policy-rc.d says no while it lasts.
# shellcheck disable=SC2016,SC2086
$as_root sh -euc '
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap "rm -f $policy" EXIT
        printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" </dev/null
' sh $missing
