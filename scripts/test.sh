#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: [FILTER=Name] [UNIT=1] test.sh [build option ...]
# Builds and runs the tests, where they can make network namespaces; with UNIT=1 those that need nothing but themselves.
# `swift test` is content when no test ran; this is not.
set -eu
cd "$(dirname "$0")/.."

if [ "${UNIT:-}" = 1 ]; then
    where=
    FILTER=${FILTER:-'^(Model|System|Ring|Engine|Host|Publish|Monitor|CNetfilter|Benchmarks)Tests\.'}
elif [ "$(id -u)" = 0 ]; then
    where=
elif unshare -Urn true 2>/dev/null; then
    where='unshare -Urn'
else
    echo "test.sh: the tests make network namespaces: run as root, or allow unprivileged user namespaces" >&2
    exit 1
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# An import that is not declared passes where another target was built first.
swift build --build-tests --disable-xctest --explicit-target-dependency-import-check error "$@"

status=0
run() { # RESULTS OPTION ...
    xml=$1
    shift
    echo "# ${where:+$where }swift test $*"
    $where swift test --skip-build --disable-xctest "$@" --xunit-output "$results/$xml.xml" || status=$?
}

case ${FILTER:-} in
*VM*) ;;
*) run tests "$@" --skip '^VMTests\.' ${FILTER:+--filter "$FILTER"} ;;
esac
# By themselves: they keep both cores busy, and other tests look at the clock.
case ${FILTER:-VM} in
*VM*)
    swift build -c release --static-swift-stdlib -Xlinker -s -Xlinker --icf=safe --product conntrack-mon
    CONNTRACK_MON_VM_BINARY=$PWD/.build/release/conntrack-mon
    export CONNTRACK_MON_VM_BINARY
    mkdir -p .build/vm
    for version in 6.1 6.12; do
        Tests/VM/kernel.sh $version .build/vm >/dev/null || echo "test.sh: no kernel $version to boot" >&2
    done
    run machines "$@" --filter "${FILTER:-^VMTests\.}"
    ;;
esac

count() { cat "$results"/*.xml 2>/dev/null | grep -o "<$1[ />]" | wc -l; }
ran=$(($(count testcase) - $(count skipped)))
echo "# $ran tests ran, $(count skipped) skipped${FILTER:+, filter $FILTER}"
if [ "$status" = 0 ] && [ "$ran" -le 0 ]; then
    echo "test.sh: no test ran" >&2
    exit 1
fi
exit "$status"
