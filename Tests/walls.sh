#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: walls.sh [ROOT]      says FILE:LINE and the rule of everything below ROOT that breaks a wall between rooms
#        walls.sh --test      sees that each rule catches what it is for
#
# The compiler keeps most walls. It does not see an import that another target's build brings along, nor a clock.
set -eu

# A room's folder, and which modules of ours it may import.
rooms='
Sources/ConntrackMon/Model
Sources/ConntrackMon/System     ConntrackModel CSystem
Sources/ConntrackMon/Ring       CRecord
Sources/ConntrackMon/Engine     ConntrackModel ConntrackRing CRecord
Sources/ConntrackMon/Host       ConntrackModel ConntrackRing ConntrackSystem CNetfilter CSystem CRecord
Sources/ConntrackMon/Publish    ConntrackModel ConntrackSystem CSystem
Sources/ConntrackMon/Monitor    ConntrackModel ConntrackRing ConntrackEngine ConntrackSystem ConntrackHost ConntrackPublish CNetfilter CSystem CRecord
Sources/CLI                     ConntrackMon
'
# Where neither clock nor file nor chance may be asked; time and seeds are handed in.
pure='Sources/ConntrackMon/(Model|Engine|Publish/Text|Publish/Documents|Publish/Incidents|Publish/Live)/'
longest=400

walls() { # ROOT
    # shellcheck disable=SC2016
    (cd "$1" && find Sources Tests Benchmarks -name '*.swift' 2>/dev/null | sort | tr '\n' '\0' |
        xargs -0 -r awk -v rooms="$rooms" -v pure="^$pure" -v longest="$longest" '
        function broken(rule) {
            print FILENAME ":" FNR ": " rule
            count++
        }
        # The file says it, and not a longer name, a method of its own, or its declaration.
        function calls(names) {
            return match(code, "(^|[^A-Za-z0-9_.`]|Glibc[.])(" names ")[(]") && code !~ "func (" names ")[(]"
        }
        BEGIN {
            lines = split(rooms, line, "\n")
            for (i = 1; i <= lines; i++) {
                words = split(line[i], word, " ")
                if (words > 0) allowed[word[1]] = " "
                for (j = 2; j <= words; j++) {
                    allowed[word[1]] = allowed[word[1]] word[j] " "
                    ours[word[j]] = 1
                }
            }
        }
        FNR == 1 {
            room = ""
            for (folder in allowed) if (index(FILENAME, folder "/") == 1) room = folder
            isPure = FILENAME ~ pure
            isCore = FILENAME ~ /ConntrackMon[/](Model|Engine)[/]/
        }
        FNR == longest + 1 { broken("longer than " longest " lines") }
        {
            code = $0
            # A // in a string is mistaken for a comment, which only hides what follows it.
            sub("//.*", "", code)
        }
        code ~ /^ *(@[a-zA-Z]+ |(public|package|internal|fileprivate|private) )*import [A-Za-z]/ {
            sub(/^.*import +((struct|class|enum|protocol|typealias|func|var|let) +)?/, "", code)
            sub(/[^A-Za-z0-9_].*$/, "", code)
            if (FILENAME ~ /^Sources/ && code == "Foundation")
                broken("import Foundation: FoundationEssentials has what is needed, without ICU")
            if (isCore && code == "FoundationEssentials") broken("import FoundationEssentials in Model or Engine")
            if (room != "" && code in ours && index(allowed[room], " " code " ") == 0)
                broken(room " may not import " code)
            next
        }
        isPure {
            if (code ~ /(Moment|Time|Clock)[.]now/ || code ~ /static func now[(][)]/ ||
                calls("clock_gettime|clock_nanosleep|gettimeofday|time|nanosleep|usleep|sleep"))
                broken("asks a clock: time is handed in")
            if (code ~ /FileManager|FileHandle|ProcessInfo/ ||
                calls("open|openat|fopen|opendir|readdir|readlink|realpath|read|pread|readv|fread|pwrite|fwrite|stat|lstat|fstat|statfs|access|faccessat|unlink|rename|mkdir|socket|connect|bind|send|sendto|recv|recvfrom|ioctl|poll|ppoll|print|fputs|puts|getenv|setenv|uname|sysconf|getpid|geteuid|kill|fork|posix_spawn|system|popen|readFile|writeFile"))
                broken("does I/O or asks the system: readings are handed in")
            if (code ~ /SystemRandomNumberGenerator|[.]random[(]|[.]randomElement[(][)]|[.]shuffled?[(][)]/ ||
                calls("random|rand|arc4random|getrandom|getentropy"))
                broken("asks for a random number: seeds are handed in")
        }
        END { exit count > 0 }
    ')
}

self_test() {
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    tried=0
    while IFS='|' read -r file rule text; do
        rm -rf "${tree:?}/Sources"
        mkdir -p "$tree/$(dirname "$file")"
        printf '%s\n' "$text" >"$tree/$file"
        said=$(walls "$tree" || true)
        case $rule in
        fine) [ -z "$said" ] ;;
        *) [ "${said#"$file:1: "}" != "$said" ] && [ "${said%"$rule"*}" != "$said" ] ;;
        esac || { echo "walls.sh: '$text' in $file: expected '$rule', said '$said'" >&2 && exit 1; }
        tried=$((tried + 1))
    done <<'END'
Sources/ConntrackMon/Model/A.swift|may not import ConntrackEngine|internal import ConntrackEngine
Sources/ConntrackMon/Model/A.swift|may not import CNetfilter|public import CNetfilter
Sources/ConntrackMon/System/A.swift|may not import CNetfilter|internal import CNetfilter
Sources/ConntrackMon/System/A.swift|fine|package import ConntrackModel
Sources/ConntrackMon/Ring/A.swift|may not import ConntrackModel|import ConntrackModel
Sources/ConntrackMon/Engine/Count/A.swift|may not import ConntrackHost|@preconcurrency internal import ConntrackHost
Sources/ConntrackMon/Engine/Count/A.swift|may not import CNetfilter|import struct CNetfilter.cnf_event
Sources/ConntrackMon/Engine/Count/A.swift|fine|package import CRecord
Sources/ConntrackMon/Host/A.swift|may not import ConntrackPublish|internal import ConntrackPublish
Sources/ConntrackMon/Publish/Sinks/A.swift|may not import ConntrackRing|internal import ConntrackRing
Sources/ConntrackMon/Monitor/A.swift|fine|internal import ConntrackHost
Sources/ConntrackMon/Host/A.swift|may not import ConntrackMon|internal import ConntrackMon
Sources/CLI/A.swift|may not import ConntrackModel|internal import ConntrackModel
Sources/CLI/A.swift|fine|internal import ArgumentParser
Sources/CLI/A.swift|import Foundation|import Foundation
Sources/ConntrackMon/Host/A.swift|fine|internal import FoundationEssentials
Sources/ConntrackMon/Engine/A.swift|FoundationEssentials in Model or Engine|internal import FoundationEssentials
Sources/ConntrackMon/Engine/A.swift|asks a clock|let now = Moment.now()
Sources/ConntrackMon/Engine/A.swift|asks a clock|let now = ContinuousClock.now
Sources/ConntrackMon/Model/A.swift|asks a clock|clock_gettime(CLOCK_BOOTTIME, &now)
Sources/ConntrackMon/Publish/Text/A.swift|asks a clock|let now = time(nil)
Sources/ConntrackMon/Engine/A.swift|does I/O|let file = open(path, O_RDONLY)
Sources/ConntrackMon/Engine/A.swift|does I/O|if Glibc.access(path, F_OK) == 0 {
Sources/ConntrackMon/Model/A.swift|does I/O|guard stat(path, &status) == 0 else {
Sources/ConntrackMon/Model/A.swift|does I/O|FileManager.default.contents(atPath: path)
Sources/ConntrackMon/Publish/Documents/A.swift|does I/O|let text = try readFile(path)
Sources/ConntrackMon/Engine/A.swift|asks for a random number|var random = SystemRandomNumberGenerator()
Sources/ConntrackMon/Engine/A.swift|asks for a random number|let seed = UInt64.random(in: 0...9)
Sources/ConntrackMon/Engine/A.swift|fine|let text = file.read(at: 1) // no open(2) here
Sources/ConntrackMon/Engine/A.swift|fine|func time(_ of: Look) -> MonotonicTime { reopen(of) }
Sources/ConntrackMon/Host/A.swift|fine|let now = Moment.now(); let file = open(path, O_RDONLY)
END
    rm -rf "${tree:?}/Sources"
    mkdir -p "$tree/Tests"
    seq 401 >"$tree/Tests/Long.swift"
    [ "$(walls "$tree" || true)" = "Tests/Long.swift:401: longer than 400 lines" ] ||
        { echo "walls.sh: a file of 401 lines passes" >&2 && exit 1; }
    seq 400 >"$tree/Tests/Long.swift"
    walls "$tree" || { echo "walls.sh: a file of 400 lines is refused" >&2 && exit 1; }
    echo "walls.sh: $((tried + 2)) made-up files are judged right"
}

case ${1-} in
--test) self_test ;;
*) walls "${1-$(dirname "$0")/..}" ;;
esac
