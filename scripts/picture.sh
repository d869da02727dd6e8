#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: [CONNTRACK_MON=BINARY] picture.sh FILE.svg [SECONDS]
# As root: `watch` for so long (120) in a network namespace with traffic, on a terminal of tmux, as a picture. With a name that
# ends in .ansi: what tmux captured. With - a capture on standard input is drawn.
set -eu
cd "$(dirname "$0")/.."

draw() { # ANSI -> SVG
    # Bytes, since not every awk counts characters.
    LC_ALL=C awk '
    function escaped(text) { gsub("&", "\\&amp;", text); gsub("<", "\\&lt;", text); gsub(">", "\\&gt;", text); return text }
    function flush_piece(    fill, x, width) {
        if (piece == "") return
        x = 12 + start * cw; width = (column - start) * cw
        fill = colour == "" ? "#d4d4d4" : colour
        if (reverse) {
            out = out sprintf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y - 12.8, width, ch, fill)
            fill = "#1e1e1e"
        }
        if (piece !~ /^ *$/)
            out = out sprintf("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" fill=\"%s\"%s%s xml:space=\"preserve\">%s</text>\n", \
                x, y, width, fill, bold ? " font-weight=\"bold\"" : "", dim ? " opacity=\"0.65\"" : "", escaped(piece))
        piece = ""
    }
    function style(codes,    n, i, part) {
        flush_piece(); start = column
        n = split(codes, part, ";")
        if (n == 0) part[n = 1] = 0
        for (i = 1; i <= n; i++) {
            if (part[i] + 0 == 0) { colour = ""; bold = dim = reverse = 0 }
            else if (part[i] == 1) bold = 1
            else if (part[i] == 2) dim = 1
            else if (part[i] == 7) reverse = 1
            else if (part[i] == 22) bold = dim = 0
            else if (part[i] == 27) reverse = 0
            else if (part[i] == 39) colour = ""
            else if (part[i] in palette) colour = palette[part[i]]
        }
    }
    BEGIN {
        cw = 8.4; ch = 16.2
        palette[31] = "#f14c4c"; palette[32] = "#4ec98f"; palette[33] = "#e5c453"
        palette[34] = "#5a9cf2"; palette[35] = "#d670d6"; palette[36] = "#3fb3d4"
    }
    {
        y = 26 + (NR - 1) * ch; column = start = 0; rest = $0
        while (rest != "") {
            if (match(rest, /^\033\[[0-9;]*m/)) {
                codes = substr(rest, 3, RLENGTH - 3); rest = substr(rest, RLENGTH + 1); style(codes)
            } else if (match(rest, /^\033./) || match(rest, /^[\016\017]/)) {
                rest = substr(rest, RLENGTH + 1)
            } else {
                size = match(rest, /^[\300-\367][\200-\277]+/) ? RLENGTH : 1
                piece = piece substr(rest, 1, size); rest = substr(rest, size + 1); column++
            }
        }
        flush_piece()
        if (column > widest) widest = column
    }
    END {
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n", 24 + widest * cw, 20 + NR * ch
        printf "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#1e1e1e\"/>\n%s</svg>\n", out
    }'
}

file=${1:?usage: picture.sh FILE.svg [SECONDS]}
if [ "$file" = - ]; then
    draw
    exit
fi

namespace=picture$$
socket=$(mktemp -d)
stop() {
    tmux -S "$socket/tmux" kill-server 2>/dev/null || true
    ip netns delete $namespace 2>/dev/null || true
    rm -rf "$socket"
}
trap stop EXIT
ip netns add $namespace
ip -n $namespace link set lo up
ip netns exec $namespace nft -f - <<'END'
table inet track {
    chain output { type filter hook output priority 0; ct state invalid counter; }
}
END
# Thresholds at which so little traffic is an alert.
ip netns exec $namespace tmux -S "$socket/tmux" -f /dev/null -u new-session -d -x 100 -y 30 -e LC_ALL=C.UTF-8 \
    "${CONNTRACK_MON:-$PWD/.build/debug/conntrack-mon}" watch --warn 1.5% --crit 90% --warn-hold 5s
# Entries come, faster and slower, as of a few clients that resolve names.
# shellcheck disable=SC2016
ip netns exec $namespace timeout "${2:-120}" sh -c '
    number=0
    while :; do
        number=$((number + 1))
        for flow in $(seq $((10 + (number % 60 - 30) * (number % 60 - 30) / 12))); do
            conntrack -I -s 192.0.2.$((flow % 9 + 1)) -d 198.51.100.7 -p udp --sport $((number * 150 % 60000 + flow)) \
                --dport 53 -t 30 >/dev/null 2>&1 || true
        done
    done' &
sleep "$((${2:-120} - 1))"
tmux -S "$socket/tmux" capture-pane -e -p >"$socket/capture"
wait $! || true
case $file in
*.ansi) cp "$socket/capture" "$file" ;;
*) draw <"$socket/capture" >"$file" ;;
esac
