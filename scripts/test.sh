#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: [FILTER=Name] test.sh [build option ...]   Builds and runs the tests, where they can make network namespaces.
# `swift test` is content when no test ran; this is not.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" = 0 ]; then
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

swift build --build-tests --disable-xctest "$@"

set -- test --skip-build --disable-xctest "$@" ${FILTER:+--filter "$FILTER"}
echo "# ${where:+$where }swift $*"
status=0
$where swift "$@" --xunit-output "$results/tests.xml" || status=$?

count() { cat "$results"/*.xml 2>/dev/null | grep -o "<$1[ />]" | wc -l; }
ran=$(($(count testcase) - $(count skipped)))
echo "# $ran tests ran, $(count skipped) skipped${FILTER:+, filter $FILTER}"
if [ "$status" = 0 ] && [ "$ran" -le 0 ]; then
    echo "test.sh: no test ran" >&2
    exit 1
fi
exit "$status"
