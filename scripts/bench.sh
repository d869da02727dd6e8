#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: [ONLY=part,part] [ROUNDS=n] [EVENTS=n] bench.sh
# Measures conntrack-mon against its floors and peers, and writes the tables of docs/performance.md. Needs root: it makes
# network namespaces and, for a while, raises nf_conntrack_max. Best on a host that does nothing else.
set -eu
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "bench.sh: run as root" >&2 && exit 1; }
release='-c release --static-swift-stdlib -Xlinker -s -Xlinker --icf=safe'
for product in conntrack-mon BenchmarkFloors EngineBenchmark Benchmarks; do
    # shellcheck disable=SC2086
    swift build $release --product $product
done
# The guard puts the limit back and ends what is left, however this ends.
exec .build/release/BenchmarkFloors guard .build/release/Benchmarks
