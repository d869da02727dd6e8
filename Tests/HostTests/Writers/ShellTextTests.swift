// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// What the commands of scripts do to conntrack.
@Suite struct ShellTextTests {
    private func acts(
        _ text: String, _ files: [String: String] = [:], arguments: [String] = [], release: String? = "6.1.0"
    ) throws -> [String] {
        let host = try ShellHost(files)
        return withExtendedLifetime(host.directory) {
            ShellText.acts(
                ofScript: text, in: "/etc/rc.local", arguments: arguments, sources: host.sources(release: release)
            ).map(ShellHost.text)
        }
    }

    private static let key = "net.netfilter.nf_conntrack_max"
    private static let file = "/proc/sys/net/netfilter/nf_conntrack_max"

    // MARK: Commands

    @Test(arguments: [
        "sysctl -w \(key)=7", "/sbin/sysctl -qw \(key)=7", "sysctl \(key)=7",
        "sysctl -e -q -w net/netfilter/nf_conntrack_max=7",
        "sysctl -w \(key)=\"7\"", "sysctl -w '\(key)=7' # a word", "sysctl -w \(key)=7 >/dev/null 2>&1 &",
        "sudo -n sysctl -w \(key)=7", "nice -n 10 env LANG=C sysctl -w \(key)=7", "exec /usr/sbin/sysctl -w \(key)=7",
        "timeout 5 sysctl -w \(key)=7", "(sleep 10; sysctl -w \(key)=7) &", "{ sysctl -w \(key)=7; }",
        "sysctl \\\n  -w \(key)=7", "X=7\nsysctl -w \(key)=$X", "X=7; sysctl -w \(key)=${X}",
        "sysctl -w \(key)=${X:-7}",
        "sysctl -w net.nf_conntrack_max=7", "busybox sysctl -w \(key)=7", "sysctl -w \(key)=$((1 + 2 * 3))",
        "out=$(sysctl -w \(key)=7 2>&1)", "for i in 7; do sysctl -w \(key)=$i; done",
        "while true; do sysctl -w \(key)=7; sleep 60; done", "trap 'sysctl -w \(key)=7' EXIT",
        "set -e\nsysctl -w \(key)=7",
        "eval \"sysctl -w \(key)=7\"",
        "echo 7 > \(file)", "echo 7 >\(file)", "echo -n 7 > \(file)", "echo \"7\" >> \(file)", "printf 7 > \(file)",
        "printf '%s\\n' 7 >| \(file)", "echo 7 | tee \(file)", "echo 7 | sudo tee -a \(file) > /dev/null",
        "/bin/echo 7 > /proc/sys/net/nf_conntrack_max", "echo 0x7 > \(file)", "tee \(file) <<< 7",
        "cat > \(file) <<EOF\n7\nEOF", "/bin/sh -c 'echo 7 > \(file)'", "bash -c \"sysctl -w \(key)=7\"",
        "sh -c 'echo $1 > \(file)' sh 7", "> /var/log/x echo 7 > \(file)", "f=\(file); echo 7 > $f",
        "echo \(key)=7 | sysctl -p -", "sysctl -p - <<E\n\(key) = 7\nE",
        "echo 7 > /proc/sys/net/netfilter//nf_conntrack_max",
    ])
    func `a command that sets the limit is understood`(_ text: String) throws {
        #expect(try acts("#!/bin/sh\n" + text + "\n") == ["nf_conntrack_max=7"])
    }

    @Test(arguments: [
        "# sysctl -w \(key)=7", "echo \"sysctl -w \(key)=7\"", "grep \(key) /etc/sysctl.conf", "sysctl \(key)",
        "sysctl -n \(key)",
        "cat \(file)", "echo $(cat \(file))", "logger \"\(key)=7\"", "printf '%s' \(file)", "MAX=\(file)",
        "echo '\(key)=7' >> /etc/sysctl.conf", "cat > /etc/sysctl.d/x.conf <<EOF\nsysctl -w \(key)=7\nEOF\n:",
        "f() { sysctl -w \(key)=7; }", "false && sysctl -w \(key)=7", "true || sysctl -w \(key)=7",
        "exit 0\nsysctl -w \(key)=7", "if false; then sysctl -w \(key)=7; fi", "ssh host sysctl -w \(key)=7",
        "docker run x sysctl -w \(key)=7", "ip netns exec a sysctl -w \(key)=7", "echo x > \(file)",
        "sysctl -w \(key)=",
        "[ $(cat \(file)) -gt 7 ] && echo big", "alert \"$(sysctl -n \(key))\"",
        "case start in stop) sysctl -w \(key)=7;; esac",
        "sysctl -w net.netfilter.nf_conntrack_count=7", "sysctl -w net.ipv4.nf_conntrack_max=7", "conntrack -L",
        "exec sleep 1\nsysctl -w \(key)=7",
        "echo 7 > \(file).bak", "echo 7 2> \(file)", "echo 7 < \(file)", "(exit 0; sysctl -w \(key)=7)",
        "modprobe -r nf_conntrack",
        "lsmod | grep nf_conntrack", "modprobe -n nf_conntrack", "modprobe --show-depends nf_conntrack",
        "modinfo nf_conntrack",
        "bash -n /etc/x-nf_conntrack", "echo 7 | tee /tmp/nf_conntrack_max",
    ])
    func `what only mentions it sets nothing`(_ text: String) throws {
        #expect(try acts("#!/bin/sh\n" + text + "\n") == [])
    }

    @Test(arguments: [
        ("[ \"$X\" = a ] && sysctl -w \(key)=7", "nf_conntrack_max=7?"),
        ("if /usr/bin/foo; then sysctl -w \(key)=7; fi", "nf_conntrack_max=7?"),
        ("/usr/bin/foo || sysctl -w \(key)=7", "nf_conntrack_max=7?"),
        ("/usr/bin/foo || exit 0\nsysctl -w \(key)=7", "nf_conntrack_max=7?"),
        ("case $X in a) sysctl -w \(key)=7;; esac", "nf_conntrack_max=7?"),
        ("while foo; do sysctl -w \(key)=7; done", "nf_conntrack_max=7?"),
        ("for i in $X; do sysctl -w \(key)=7; done", "nf_conntrack_max=7?"),
        ("f() { foo && return; sysctl -w \(key)=7; }\nf", "nf_conntrack_max=7?"),
        ("for i in a; do foo || continue; sysctl -w \(key)=7; done", "nf_conntrack_max=7?"),
        ("sysctl -w \(key)=$X", "nf_conntrack_max=unknown"), ("sysctl -w \(key)=$(foo)", "nf_conntrack_max=unknown"),
        ("foo && X=7\nsysctl -w \(key)=$X", "nf_conntrack_max=unknown"),
        ("X=7\n. /etc/missing\nsysctl -w \(key)=${Y:-5}", "nf_conntrack_max=unknown"),
        ("sysctl -w \(key)=$((X * 2))", "nf_conntrack_max=unknown"),
        ("if [ -x /sbin/sysctl ]; then sysctl -w \(key)=7; fi", "nf_conntrack_max=7"),
        ("if [ -e \(file) ]; then echo 7 > \(file); fi", "nf_conntrack_max=7"),
        ("if [ ! -e \(file) ]; then exit 1; fi; echo 7 > \(file)", "nf_conntrack_max=7"),
        ("f() { sysctl -w \(key)=$1; }\nf 7", "nf_conntrack_max=7"),
        ("case $1 in start) sysctl -w \(key)=7;; esac", "nf_conntrack_max=7"),
        ("case $1 in stop) exit 0;; *) sysctl -w \(key)=7;; esac", "nf_conntrack_max=7"),
        ("[ a = a ] && sysctl -w \(key)=7", "nf_conntrack_max=7"),
        ("if foo; then :; else sysctl -w \(key)=7; fi", "nf_conntrack_max=7?"),
        ("if [ 1 -gt 2 ]; then :; elif [ 2 -gt 1 ]; then sysctl -w \(key)=7; fi", "nf_conntrack_max=7"),
        ("if [[ $1 == st* ]]; then sysctl -w \(key)=7; fi", "nf_conntrack_max=7"),
        ("sysctl -w \(key)=$(( $(nproc) * 100 ))", "nf_conntrack_max=unknown"),
        ("N=$(nproc); sysctl -w \(key)=$((N * 100))", "nf_conntrack_max=400"),
        ("sysctl -w net.netfilter.nf_conntrack_buckets=9", "nf_conntrack_buckets=9"),
        ("echo 9 > /sys/module/nf_conntrack/parameters/hashsize", "nf_conntrack_buckets=9"),
    ])
    func `what stands behind a condition may be done`(_ text: String, _ act: String) throws {
        #expect(try acts("#!/bin/bash\n" + text + "\n", arguments: ["start"]) == [act])
    }

    @Test(arguments: [
        ("modprobe nf_conntrack", ["load nf_conntrack"]), ("/sbin/modprobe -q nf-conntrack", ["load nf-conntrack"]),
        ("modprobe -a loop nf_conntrack", ["load nf_conntrack"]), ("modprobe loop", []),
        ("modprobe nf_conntrack hashsize=8192", ["load hashsize=8192"]), ("modprobe nf_conntrack_ipv4", []),
        ("modprobe -r nf_conntrack; modprobe nf_conntrack", ["reload"]),
        ("rmmod nf_conntrack && modprobe nf_conntrack hashsize=8192", ["reload hashsize=8192"]),
        ("insmod /lib/modules/6.1/kernel/net/netfilter/nf_conntrack.ko.xz hashsize=5", ["load hashsize=5"]),
        ("lsmod | grep -q nf_conntrack || modprobe nf_conntrack", ["load nf_conntrack"]),
        (
            "[ -d /proc/sys/net/netfilter ] || modprobe nf_conntrack\necho 7 > \(file)",
            ["load nf_conntrack", "nf_conntrack_max=7"]
        ),
        (
            "if ! lsmod | grep -q '^nf_conntrack '; then modprobe nf_conntrack; fi; sysctl -w \(key)=7",
            ["load nf_conntrack", "nf_conntrack_max=7"]
        ),
        ("grep -q nf_conntrack /proc/modules && sysctl -w \(key)=7", ["nf_conntrack_max=7"]),
        (
            "if [ -e \(file) ]; then echo 7 > \(file); else modprobe nf_conntrack; echo 8 > \(file); fi",
            ["nf_conntrack_max=7", "load nf_conntrack", "nf_conntrack_max=8?"]
        ),
        ("lsmod | grep -q nf_conntrack || exit 0; sysctl -w \(key)=7", ["nf_conntrack_max=7"]),
        ("iptables -A INPUT -m conntrack --ctstate NEW -j ACCEPT # sysctl", ["load xt_conntrack"]),
        ("iptables -A INPUT -p tcp -j ACCEPT # sysctl", []),
        (
            "sysctl -w \(key)=7; modprobe nf_conntrack; sysctl -w \(key)=8",
            ["nf_conntrack_max=7", "load nf_conntrack", "nf_conntrack_max=8"]
        ),
    ])
    func `loads are noted in their order`(_ text: String, _ found: [String]) throws {
        #expect(try acts("#!/bin/sh\n" + text + "\n") == found)
    }

    @Test func `scripts that are called and files that are sourced are followed`() throws {
        let files = [
            "usr/local/sbin/tune": "#!/bin/bash\nsysctl -w \(ShellTextTests.key)=$1\nexit 0\n",
            "etc/default/tune": "MAX=9\nreturn 0\nMAX=10\n",
            "opt/program": "\u{7f}ELF nf_conntrack",
        ]
        #expect(try acts("#!/bin/sh\ntune 7 # sysctl\n", files) == ["nf_conntrack_max=7"])
        #expect(
            try acts("#!/bin/sh\n# sysctl\nsh /usr/local/sbin/tune 7\n/opt/program\n", files) == ["nf_conntrack_max=7"])
        #expect(
            try acts("#!/bin/sh\n. /etc/default/tune\nsysctl -w \(ShellTextTests.key)=$MAX\n", files) == [
                "nf_conntrack_max=9"
            ])
    }

    @Test func `a line is shown with its number`() throws {
        let host = try ShellHost()
        let text = "#!/bin/sh\n\n  echo 7 \\\n   > \(ShellTextTests.file)\nif true; then\n\tmodprobe nf_conntrack\nfi\n"
        let acts = ShellText.acts(ofScript: text, in: "/etc/rc.local", sources: host.sources())
        #expect(
            acts.map { $0.evidence?.description } == [
                "/etc/rc.local:3 echo 7 > \(ShellTextTests.file)", "/etc/rc.local:6 modprobe nf_conntrack",
            ])
    }

    @Test(arguments: [
        "((((((((((", "$(((((", "if then fi done", "case x in", "`", "\"$(\"", "f() f() f() f() f()", "cat <<E", "${",
        "$((",
        "while while while", "a |", "&&", "[[ a", "for in in in", "a=(1 2", "x() { x; }; x", "\\",
        "X=a$X$X$X; echo $X", "for i in /usr/bin/* /bin/*; do x=$(echo /usr/bin/*); done",
        "x() { x; x; echo a$(x); }; x",
        "while :; do while :; do while :; do x=$(sysctl -p); done; done; done",
    ])
    func `text with faults, and text without end, ends`(_ text: String) throws {
        let wild = String(repeating: text + " ", count: 300)
        let before = "#!/bin/sh\nsysctl -w \(ShellTextTests.key)=7\n"
        #expect(try acts(before + text + "\n" + wild).first == "nf_conntrack_max=7")
        #expect(try acts("#!/bin/sh\n# sysctl\n" + wild) == [])
    }

    @Test func `a script that is cut off anywhere is followed up to there`() throws {
        let whole = """
            #!/bin/bash -e
            # nf_conntrack
            [ "$(uname -r)" = x ] && { modprobe nf_conntrack hashsize=9 || exit 1; }
            set_it() { for f in max "${2:-max}"; do echo $((3 + 4)) | tee /proc/sys/net/netfilter/nf_conntrack_$f; done; }
            case "$1" in
              start|boot) set_it 'a' ;;
              *) if ! sysctl -w net.netfilter.nf_conntrack_max=7 2>/dev/null; then exit 2; fi
            esac
            sysctl -p - <<-'END' && exit 0
            \tnet.netfilter.nf_conntrack_max = 7
            \tEND
            while read -r line; do sysctl -w "$line"; done < <(cat /etc/x)
            """
        let found = Set(try acts(whole, arguments: ["start"]))
        #expect(found == ["load hashsize=9", "nf_conntrack_max=7"])
        let sources = try ShellHost().sources()
        for end in whole.indices {
            let text = String(whole[..<end])
            let acts = ShellText.acts(ofScript: text, in: "/x", arguments: ["start"], sources: sources)
            #expect(found.union(["load nf_conntrack"]).isSuperset(of: acts.map(ShellHost.text)), "\(text)")
        }
    }
}
