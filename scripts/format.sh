#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: format.sh [--check]   Formats the sources in place, or only says what is not formatted.
set -eu
cd "$(dirname "$0")/.."

if [ "${1-}" = --check ]; then
    swift='format lint --strict' c='--dry-run -Werror'
else
    swift='format format -i' c=-i
fi

# shellcheck disable=SC2086
swift $swift -r Sources Tests Benchmarks Package.swift
# shellcheck disable=SC2086
find . -name '.?*' -prune -o -name '*.[ch]' -print0 | xargs -0 -r clang-format $c
