#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: boot.sh KERNEL SCENARIOS BINARY [MEMORY [PROGRAM[:NAME] ...]]
# Boots Debian's KERNEL (6.1 or 6.12) in QEMU under software emulation, runs SCENARIOS (a sh script, after scenario.sh) in it
# with BINARY as /bin/conntrack-mon and PROGRAM as /bin/NAME, prints what it prints and exits as it exits. Needs no KVM and
# touches nothing here. Where SCENARIOS has lines "if boot NAME; then" the machine boots once more for each of them, with
# boot=NAME on the kernel's command line.
set -eu
kernel=$1 scenarios=$2 binary=$3 memory=${4:-2G}
shift $(($# < 4 ? $# : 4))
here=$(dirname "$(realpath "$0")")
cache=$here/../../.build/vm
mkdir -p "$cache"

image=$("$here/kernel.sh" "$kernel" "$cache")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat "$here/scenario.sh" "$scenarios" >"$work/scenarios"
"$here/initramfs.sh" "$image" "$binary" "$work/scenarios" "$work/initrd" "$@"

# The exit status comes back over the serial console as the last line.
# A plain CPU and only one: emulating AVX and a second CPU takes half as much time again. On a busy host the timer may come too
# late for the kernel's check of it, which then panics.
run() { # ARGUMENT OF THE KERNEL
    timeout 900 qemu-system-x86_64 -accel tcg -cpu qemu64 -smp 1 -m "$memory" -nographic -no-reboot -nodefaults \
        -serial stdio -kernel "$image"/boot/vmlinuz-* -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1 loglevel=1 no_timer_check mitigations=off rcupdate.rcu_expedited=1 $1" \
        </dev/null | tr -d '\r' >"$work/console" || true
    sed -n "/scenarios begin$/,/^scenarios end: /p" "$work/console" | sed "1d;\$d"
    status=$(sed -n 's/^scenarios end: //p' "$work/console")
    [ -n "$status" ] || {
        echo "boot.sh: the machine did not reach the scenario's end${1:+ ($1)}:" >&2
        tail -n 20 "$work/console" >&2
        exit 125
    }
    [ "$status" = 0 ] || exit "$status"
}
run ""
names=$(sed -n 's/^if boot \(.*\); then$/\1/p' "$scenarios")
for name in $names; do run "boot=$name"; done
