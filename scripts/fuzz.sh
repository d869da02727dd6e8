#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Fuzzes the decoder for SECONDS (default 60), starting from Fuzz/corpus; fails on any finding, whose input is left in
# .build/fuzz. What it learns stays there too, so that a later run goes on from it.
#
# usage: scripts/fuzz.sh [SECONDS]

set -eu

seconds=${1:-60}
cd "$(dirname "$0")/.."
# The driver beside swiftc: Debian's clang may lack the sanitizers' run-time libraries.
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang

mkdir -p .build/fuzz/corpus
"$clang" -std=gnu11 -g -O1 -Wall -Wextra -Werror \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -ISources/CNetfilter/include -ISources/CRecord/include Fuzz/decode_fuzz.c \
    Sources/CNetfilter/decode.c Sources/CNetfilter/tuple.c Sources/CNetfilter/entry.c Sources/CNetfilter/shape.c \
    Sources/CNetfilter/text.c Sources/CNetfilter/parts.c Sources/CNetfilter/put.c Sources/CNetfilter/words.c \
    Sources/CNetfilter/line.c Sources/CNetfilter/json.c Sources/CNetfilter/row.c Sources/CNetfilter/select.c \
    Sources/CNetfilter/uevents.c Sources/CNetfilter/uses.c Sources/CNetfilter/xtables.c Sources/CNetfilter/nftables.c \
    Sources/CNetfilter/request.c \
    -lnetfilter_conntrack -lmnl -o .build/fuzz/decode_fuzz

timeout -k 10 $((seconds + 60)) .build/fuzz/decode_fuzz \
    -max_total_time="$seconds" -max_len=1024 -timeout=10 -print_final_stats=1 \
    -artifact_prefix=.build/fuzz/ .build/fuzz/corpus Fuzz/corpus
