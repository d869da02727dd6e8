#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: lint.sh   Static checks of the C code and the scripts.
set -eu
cd "$(dirname "$0")/.."

cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=variableScope --error-exitcode=1 -I Sources/CNetfilter/include \
    -I Sources/CRecord/include -I Sources/CSystem/include -I Tests/CTestKit/include \
    Sources/CNetfilter Sources/CRecord Sources/CSystem Benchmarks/Floors
shellcheck scripts/*.sh Tests/VM/*.sh Benchmarks/*.sh Benchmarks/decode/*.sh .ci/run
