#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: hotpath.sh             fails when an event costs over 1 % more instructions than Benchmarks/hotpath/instructions.txt
#                               says, allocates, or calls into Swift's run time
#        hotpath.sh --update    writes that file anew: commit it with the reason
#
# Counted by callgrind, which is the same on a busy machine. Two runs are compared, one of a million records more, so
# that the start of the program falls out.
set -eu
cd "$(dirname "$0")/.."

expected=Benchmarks/hotpath/instructions.txt
few=200000 more=1000000

command -v valgrind >/dev/null || { echo "hotpath.sh: no valgrind: scripts/deps.sh gate installs it" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

profile() { # KIND RECORDS
    valgrind --tool=callgrind --callgrind-out-file="$work/$1.$2" "$work/engine" "$1" "$2" 2>"$work/$1.errors" ||
        { cat "$work/$1.errors" >&2 && exit 1; }
}

swift build -c release --static-swift-stdlib --product EngineBenchmark
# With names, but without the line numbers, whose format Debian's valgrind does not read.
strip --strip-debug -o "$work/engine" .build/release/EngineBenchmark

Benchmarks/decode/run.sh | awk '{ print "decode/" $1, $2 }' >"$work/now"
status=0
for kind in steady flood; do
    profile "$kind" "$few"
    profile "$kind" $((few + more))
    awk -v records=$more -f Benchmarks/hotpath/calls.awk "$work/$kind.$few" "$work/$kind.$((few + more))" >"$work/told"
    sed -n "s|^instructions|engine/$kind|p" "$work/told" >>"$work/now"
    if ! grep -qx 'allocations 0' "$work/told" || grep '^call ' "$work/told" >&2; then
        echo "hotpath.sh: engine/$kind: $(grep '^allocations' "$work/told") in $more records; calls a record are above" >&2
        status=1
    fi
done

[ "$(uname -m)" = x86_64 ] || { echo "hotpath.sh: instructions are compared on x86-64 alone" && exit $status; }
if [ "${1-}" = --update ]; then
    { sed '/^[^#]/d' $expected && cat "$work/now"; } >"$work/new"
    cp "$work/new" $expected
fi
awk 'FNR == NR { if (!/^#/) was[$1] = $2; next }
    {
        verdict = !($1 in was) ? "NOT KNOWN" : $2 > was[$1] * 1.01 ? "MORE" : $2 < was[$1] * 0.99 ? "less" : ""
        printf "%-34s %6.1f, was %6.1f %s\n", $1, $2, was[$1], verdict
        if (verdict ~ /^[MN]/) failed = 1
    }
    END { exit failed }' $expected "$work/now" || {
    echo "hotpath.sh: more instructions than $expected says; if they are worth it: scripts/hotpath.sh --update" >&2
    status=1
}
exit $status
