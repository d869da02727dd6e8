# SPDX-License-Identifier: GPL-3.0-or-later
# usage: awk -f calls.awk -v records=N SMALLER LARGER
#
# Compares two callgrind profiles of one program, the second of which took N records more. Prints
#     instructions N.N              for each of these records
#     allocations N                 that they made all together
#     call N.NNN FUNCTION           for each of Swift's run-time functions that they call, above one in a hundred
# A function is written "(7) name" where it comes first, and then "(7)"; calls= belongs to the cfn= before it.

FNR == 1 { file++ }
/^c?fn=\(/ {
    id = $0
    sub(/^c?fn=/, "", id)
    text = id
    sub(/\).*/, ")", id)
    if (sub(/^\([0-9]+\) /, "", text)) name[file, id] = text
    if (/^cfn=/) callee = id
}
/^calls=/ {
    split(substr($1, 7), number, " ")
    function_name = name[file, callee]
    calls[file, function_name] += number[1]
    seen[function_name] = 1
}
/^summary: / { instructions[file] = $2 }
END {
    printf "instructions %.1f\n", (instructions[2] - instructions[1]) / records
    allocations = 0
    for (f in seen) {
        more = calls[2, f] - calls[1, f]
        if (f ~ /^(malloc|calloc|realloc|posix_memalign|aligned_alloc|memalign|swift_slowAlloc|swift_allocObject)$/)
            allocations += more
        # swift_retain and the like; protocol witnesses (TW); value witnesses (w and two letters).
        if (more * 100 > records && f ~ /^(swift_|swift::|_swift_)|TW$|w(al|CP|cp|ca|ta|et|st|tk|TK|pr|xx|XX|ug|up|ui)$/)
            printf "call %.3f %s\n", more / records, f
    }
    print "allocations", allocations
}
