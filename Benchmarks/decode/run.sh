#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What decoding one message costs. The messages are real ones of Fuzz/corpus; cnf_decode is built as a release is.
#
# usage: run.sh           lines of NAME INSTRUCTIONS, counted by callgrind: the same in each run
#        run.sh --time    lines of NAME NANOSECONDS RATIO, the ratio to adding up the message's 8-byte words;
#                         "mixed" are all of them in a shuffled order

set -eu
cd "$(dirname "$0")/../.."

messages='tcp-ipv4-new udp-ipv6-new tcp-ipv4-nat-new icmp-ipv4-new tcp-ipv4-update tcp-ipv4-accounted-destroy'
times=1000

built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The compiler beside swiftc, with the flags that `swift build -c release` has for C.
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
"$clang" -std=gnu11 -O2 -fPIC -fno-omit-frame-pointer -Wall -Wextra -Wconversion -Werror \
    -ISources/CNetfilter/include -ISources/CRecord/include \
    Benchmarks/decode/decode.c Sources/CNetfilter/decode.c Sources/CNetfilter/tuple.c -o "$built/decode"

count() { # NAME
    valgrind --tool=callgrind --toggle-collect=cnf_decode --callgrind-out-file="$built/out" \
        "$built/decode" $times "Fuzz/corpus/real-$1" 2>"$built/errors" || { cat "$built/errors" >&2 && exit 1; }
    # One more: a message is decoded once when its file is read, to see that it holds an event.
    sed -n 's/^summary: //p' "$built/out" |
        awk -v name="$1" -v times=$((times + 1)) '{ printf "%-26s %4.0f\n", name, $1 / times }'
}

take_time() { # NAME FILE ...
    name=$1
    shift
    "$built/decode" --time "$@" | awk -v name="$name" '{ printf "%-26s %5.1f %4.1f\n", name, $1, $1 / $2 }'
}

case ${1-} in
'')
    command -v valgrind >/dev/null || { echo "run.sh: no valgrind: scripts/deps.sh bench installs it" >&2 && exit 1; }
    for name in $messages; do
        count "$name"
    done
    ;;
--time)
    set --
    for name in $messages; do
        take_time "$name" "Fuzz/corpus/real-$name"
        set -- "$@" "Fuzz/corpus/real-$name"
    done
    take_time mixed "$@"
    ;;
*) echo "usage: run.sh [--time]" >&2 && exit 64 ;;
esac
