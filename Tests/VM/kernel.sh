#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: kernel.sh VERSION CACHE   Prints the folder with Debian's newest cloud kernel of VERSION, unpacked, not installed.
set -eu
version=$1 cache=$(realpath "$2")
ready=$(find "$cache" -maxdepth 1 -name "linux-image-$version.*" -type d | sort -V | tail -n 1)
[ -z "$ready" ] || { echo "$ready"; exit; }

pattern="^linux-image-${version//./\\.}\\.[0-9.]+[-+a-z0-9]*-cloud-amd64$"
find_package() { apt-cache pkgnames linux-image- | grep -E "$pattern" | sort -V | tail -n 1; }
package=$(find_package)
[ -n "$package" ] || { apt-get update -qq >&2; package=$(find_package); }
[ -n "$package" ] || { echo "kernel.sh: no Debian cloud kernel $version to be had" >&2; exit 1; }

work=$(mktemp -d -p "$cache")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package" >&2 && dpkg-deb -x ./*.deb tree)
/sbin/depmod -b "$work/tree" "$(basename "$work"/tree/lib/modules/*)"
mv "$work/tree" "$cache/$package"
echo "$cache/$package"
