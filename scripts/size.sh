#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: size.sh BINARY   Fails when the binary is too big or would not start where the README says it does.
set -eu

binary=$1
size_limit=20000000
glibc_limit=2.35

size=$(stat -c %s "$binary")
echo "$binary: $size bytes (limit $size_limit)"
if [ "$size" -gt "$size_limit" ]; then
    echo "size.sh: too big; an 'import Foundation' whose formatters or String(format:) bring in ICU (+40 MB)?" \
        "FoundationEssentials has none" >&2
    exit 1
fi

libraries=$(ldd "$binary")
if echo "$libraries" | grep 'not found' >&2; then
    echo "size.sh: a shared library is missing" >&2
    exit 1
fi

glibc=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9][0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
echo "$binary: needs glibc $glibc (limit $glibc_limit)"
if [ "$(printf '%s\n' "$glibc" "$glibc_limit" | sort -V | tail -n 1)" != "$glibc_limit" ]; then
    echo "size.sh: these symbols need a newer glibc than $glibc_limit:" >&2
    objdump -T "$binary" | grep -F "GLIBC_$glibc" >&2
    exit 1
fi
