#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: check.sh   Everything CI runs; stops at the first stage that fails.
set -eu
cd "$(dirname "$0")/.."

stage() {
    echo "== $1"
    shift
    "$@"
}

stage dependencies scripts/deps.sh run test gate lint
stage format scripts/format.sh --check
stage lint scripts/lint.sh
stage 'build and size' make --no-print-directory size
stage gate scripts/hotpath.sh
stage test scripts/test.sh
stage tsan make --no-print-directory tsan
stage asan make --no-print-directory asan
stage fuzz scripts/fuzz.sh 10
echo "== all stages passed"
