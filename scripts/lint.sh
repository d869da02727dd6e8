#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: lint.sh   Static checks of the C code, the scripts and the walls between rooms.
set -eu
cd "$(dirname "$0")/.."

cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=variableScope --error-exitcode=1 -I Sources/CNetfilter/include \
    -I Sources/CRecord/include -I Sources/CSystem/include -I Tests/CTestKit/include \
    Sources/CNetfilter Sources/CRecord Sources/CSystem Benchmarks/Floors
Tests/walls.sh --test
Tests/walls.sh
shellcheck scripts/*.sh Tests/*.sh Tests/VM/*.sh Benchmarks/*.sh Benchmarks/decode/*.sh .ci/run
