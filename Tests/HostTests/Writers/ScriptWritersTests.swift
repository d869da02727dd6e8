// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// rc.local, units, jobs of cron and the like.
@Suite struct ScriptWritersTests {
    private static let set = "/sbin/sysctl -w net.netfilter.nf_conntrack_max=5"
    private static let found = "nf_conntrack_max=5"
    private static let script = "#!/bin/sh\n\(set)\n"
    private static let unit = "[Service]\nType=oneshot\nExecStart=\(set)\n"

    private func writers(
        _ files: [String: String], executable: [String] = [], links: [(String, String)] = []
    ) throws -> [String] {
        try ShellHost(files, executable: executable, links: links).writers(ScriptWriters.all).map(ShellHost.text)
    }

    // MARK: rc.local

    @Test func `rc local that may be run is applied late`() throws {
        let text = "#!/bin/sh -e\nmodprobe nf_conntrack\necho 9 > /sys/module/nf_conntrack/parameters/hashsize\n"
        let files = ["etc/rc.local": text + "\(ScriptWritersTests.set)\nexit 0\n"]
        let acts = "load nf_conntrack, nf_conntrack_buckets=9, nf_conntrack_max=5"
        #expect(try writers(files, executable: ["etc/rc.local"]) == ["late /etc/rc.local: " + acts])
        // A copy may have lost what lets it run.
        #expect(try writers(files) == ["late /etc/rc.local?: " + acts])
        let host = try ShellHost(files, executable: ["etc/rc.local"])
        let writer = try #require(host.writers(ScriptWriters.all).first)
        #expect(writer.evidence.description == "/etc/rc.local:2 modprobe nf_conntrack")
        #expect(writer.cure == "change line 3 of /etc/rc.local")
    }

    @Test(arguments: [
        "#!/bin/sh\nexit 0\n\(set)\n", "#!/bin/sh\n# \(set)\n", "#!/bin/sh\n/usr/bin/check --max nf_conntrack_max\n",
        "#!/usr/bin/python3\nopen('/proc/sys/net/nf_conntrack_max')\n",
        "#!/bin/sh\nsysctl -n net.netfilter.nf_conntrack_max\n",
        "#!/bin/sh\nsysctl -w vm.swappiness=1\n", "",
    ])
    func `rc local that sets nothing is no writer`(_ text: String) throws {
        #expect(try writers(["etc/rc.local": text], executable: ["etc/rc.local"]) == [])
    }

    @Test func `systemd does not run a script that says nothing of its shell`() throws {
        let files = ["etc/rc.local": ScriptWritersTests.set + "\n"]
        #expect(try writers(files, executable: ["etc/rc.local"]).count == 1)
        #expect(try writers(files.merging(["etc/systemd/x": ""]) { $1 }, executable: ["etc/rc.local"]) == [])
    }

    @Test func `one file under two names is one writer`() throws {
        #expect(
            try writers(
                ["etc/rc.d/rc.local": ScriptWritersTests.script], executable: ["etc/rc.d/rc.local"],
                links: [("etc/rc.local", "rc.d/rc.local")]
            ).count == 1)
    }

    @Test func `the configuration that a script applies counts with what the script sets itself`() throws {
        let text = "#!/bin/sh -e\nmodprobe nf_conntrack\necho 262144 > /sys/module/nf_conntrack/parameters/hashsize\n"
        let files = [
            "etc/rc.local": text + "/sbin/sysctl -p\nexit 0\n", "etc/sysctl.conf": "net.nf_conntrack_max = 1048576\n",
        ]
        #expect(
            try writers(files, executable: ["etc/rc.local"]) == [
                "late /etc/rc.local: load nf_conntrack, nf_conntrack_buckets=262144, nf_conntrack_max=1048576"
            ])
        let jobs = [
            "etc/crontab": "@reboot root fgrep conntrack /etc/sysctl.conf | sysctl -p -\n",
            "etc/sysctl.conf": "net.nf_conntrack_max = 7\n",
        ]
        #expect(try writers(jobs) == ["late a job of cron: nf_conntrack_max=7"])
    }

    @Test(arguments: [
        "etc/local.d/x.start", "etc/network/if-up.d/x", "etc/NetworkManager/dispatcher.d/50-x",
        "etc/networkd-dispatcher/routable.d/x", "etc/init.d/boot.local", "sbin/ifup-local",
    ])
    func `other scripts of the boot are applied late`(_ path: String) throws {
        let host = [path: ScriptWritersTests.script]
        #expect(try writers(host, executable: [path]) == ["late /\(path): \(ScriptWritersTests.found)"])
    }

    @Test func `a dispatcher script acts on what it is called with`() throws {
        let path = "etc/NetworkManager/dispatcher.d/50-x"
        let up =
            "#!/bin/sh\ncase \"$2\" in up) \(ScriptWritersTests.set);; down) sysctl -w net.nf_conntrack_max=6;; esac\n"
        #expect(try writers([path: up], executable: [path]) == ["late /\(path): nf_conntrack_max=5"])
        let one = "#!/bin/sh\nif [ \"$1\" = eth0 ]; then \(ScriptWritersTests.set); fi\n"
        #expect(try writers([path: one], executable: [path]) == ["late /\(path): nf_conntrack_max=5?"])
    }

    @Test func `start scripts of a runlevel are called with start`() throws {
        let text = """
            #!/bin/bash
            . /etc/rc.d/init.d/functions
            start() {
                echo -n "Starting: "
                \(ScriptWritersTests.set)
            }
            stop() { sysctl -w net.netfilter.nf_conntrack_max=6; }
            case "$1" in
              start) start ;;
              stop) stop ;;
              restart) stop; start ;;
              *) echo "Usage: $0 {start|stop}"; exit 2
            esac
            """
        let files = ["etc/rc.d/init.d/tune": text, "etc/rc.d/rc.sysinit": ""]
        let link = [("etc/rc.d/rc3.d/S99tune", "../init.d/tune")]
        #expect(try writers(files, links: link) == ["late /etc/rc.d/init.d/tune: nf_conntrack_max=5"])
        #expect(try writers(files, links: [("etc/rc.d/rc3.d/K01tune", "../init.d/tune")]) == [])
        #expect(try writers(files, links: [("etc/rc.d/rc5.d/S99tune", "../init.d/tune")]) == [])
    }

    @Test func `interfaces has lines that are run`() throws {
        let text = "auto eth0\niface eth0 inet dhcp\n  post-up \(ScriptWritersTests.set)\n"
        #expect(try writers(["etc/network/interfaces": text]) == ["late /etc/network/interfaces: nf_conntrack_max=5"])
        let manual = text.replacing("auto eth0\n", with: "")
        #expect(
            try writers(["etc/network/interfaces": manual]) == ["late /etc/network/interfaces?: nf_conntrack_max=5"])
        #expect(try writers(["etc/network/interfaces": text.replacing("post-up", with: "post-down")]) == [])
    }

    // MARK: Units

    private static let wants = "etc/systemd/system/multi-user.target.wants/"

    @Test(arguments: [
        ("[Service]\nExecStart=\(set)\n", "late x.service: nf_conntrack_max=5"),
        (
            "[Service]\nExecStartPre=-/sbin/modprobe nf_conntrack\nExecStart=\(set)\n",
            "late x.service: load nf_conntrack, nf_conntrack_max=5"
        ),
        (
            "[Service]\nExecStart=/bin/foo\nExecStartPost=/bin/sh -c 'echo 5 > /proc/sys/net/nf_conntrack_max'\n",
            "late x.service: nf_conntrack_max=5"
        ),
        (
            "[Service]\nEnvironment=N=5 \"M=6 7\"\nExecStart=sysctl -w net.nf_conntrack_max=${N}\n",
            "late x.service: nf_conntrack_max=5"
        ),
        (
            "[Service]\nEnvironmentFile=-/etc/missing\nExecStart=sysctl -w net.nf_conntrack_max=${N}\n",
            "late x.service: nf_conntrack_max=unknown"
        ),
        (
            "[Service]\nEnvironmentFile=/etc/default/x\nExecStart=sysctl -w net.nf_conntrack_max=${N}\n",
            "late x.service: nf_conntrack_max=5"
        ),
        ("[Service]\nExecStart=/bin/true ; \(set)\n", "late x.service: nf_conntrack_max=5"),
        ("[Service]\nExecStart=/opt/tune\n", "late x.service: nf_conntrack_max=5"),
        (
            "[Unit]\nBefore=systemd-sysctl.service\n[Service]\nExecStart=/sbin/modprobe nf_conntrack\n",
            "early x.service: load nf_conntrack"
        ),
        ("[Unit]\nConditionPathExists=/etc/x\n[Service]\nExecStart=\(set)\n", "late x.service?: nf_conntrack_max=5"),
        ("[Unit]\nConditionPathExists=/opt/tune\n[Service]\nExecStart=\(set)\n", "late x.service: nf_conntrack_max=5"),
        ("[Service]\nUser=nobody\nExecStart=+\(set)\n", "late x.service: nf_conntrack_max=5"),
    ])
    func `an enabled unit that sets the limit is a writer`(_ text: String, _ found: String) throws {
        let files = [
            "etc/systemd/system/x.service": text, "opt/tune": ScriptWritersTests.script, "etc/default/x": "N=\"5\"\n",
        ]
        let link = [(ScriptWritersTests.wants + "x.service", "/etc/systemd/system/x.service")]
        #expect(try writers(files, links: link) == [found])
    }

    @Test(arguments: [
        "[Service]\n# nf_conntrack_max\nExecStart=/usr/bin/check -m nf_conntrack_max\n", "[Service]\nExecStop=\(set)\n",
        // Systemd replaces a variable inside a word only in braces.
        "[Service]\nEnvironment=N=5\nExecStart=sysctl -w net.nf_conntrack_max=$N\n",
        "[Service]\nExecStart=sysctl -w net.nf_conntrack_max=${N}\n",
        "[Service]\nUser=nobody\nExecStart=\(set)\n", "[Service]\nExecStart=\(set)\nExecStart=\nExecStart=/bin/true\n",
        "[Service]\nExecStart=/bin/echo \(set)\n",
        "[Service]\nExecStart=/bin/echo 5 > /proc/sys/net/nf_conntrack_max\n",
        "[Unit]\nDescription=\(set)\n[Service]\nExecStart=/bin/true\n",
        "[Service]\nExecStart=/sbin/sysctl net.netfilter.nf_conntrack_max\n",
    ])
    func `a unit that sets nothing is no writer`(_ text: String) throws {
        let link = [(ScriptWritersTests.wants + "x.service", "/etc/systemd/system/x.service")]
        #expect(try writers(["etc/systemd/system/x.service": text], links: link) == [])
    }

    @Test func `a unit that no boot starts is no writer`() throws {
        let unit = [
            "etc/systemd/system/x.service": ScriptWritersTests.unit, ScriptWritersTests.wants + "y.service": "",
        ]
        #expect(try writers(unit) == [])
        let rescue = [("etc/systemd/system/rescue.target.wants/x.service", "/etc/systemd/system/x.service")]
        #expect(try writers(unit, links: rescue) == [])
        // Masked.
        let wanted = [(ScriptWritersTests.wants + "x.service", "/usr/lib/systemd/system/x.service")]
        let masked = wanted + [("etc/systemd/system/x.service", "/dev/null")]
        #expect(try writers(["usr/lib/systemd/system/x.service": ScriptWritersTests.unit], links: wanted).count == 1)
        #expect(try writers(["usr/lib/systemd/system/x.service": ScriptWritersTests.unit], links: masked) == [])
        // Where links were not saved it can't be known.
        #expect(
            try writers(["etc/systemd/system/x.service": ScriptWritersTests.unit])
                == ["late x.service?: nf_conntrack_max=5"])
    }

    @Test func `a drop-in of a firewall acts at each of its starts`() throws {
        let dropIn = "[Service]\nExecStartPost=\(ScriptWritersTests.set)\n"
        let files = [
            "usr/lib/systemd/system/firewalld.service": "[Service]\nExecStart=/usr/sbin/firewalld --nofork\n",
            "etc/systemd/system/firewalld.service.d/x.conf": dropIn,
        ]
        let link = [(ScriptWritersTests.wants + "firewalld.service", "/usr/lib/systemd/system/firewalld.service")]
        #expect(try writers(files, links: link) == ["firewall firewalld firewalld.service: nf_conntrack_max=5"])
        let writer = try #require(ShellHost(files, links: link).writers(ScriptWriters.all).first)
        #expect(writer.evidence.file == "/etc/systemd/system/firewalld.service.d/x.conf")
        #expect(writer.evidence.line == 2)
    }

    @Test(arguments: [
        ("[Timer]\nOnBootSec=1min\n", "late x.service: nf_conntrack_max=5"),
        ("[Timer]\nOnCalendar=hourly\n", "always x.service?: nf_conntrack_max=5"),
    ])
    func `a timer starts its service`(_ timer: String, _ found: String) throws {
        let files = ["etc/systemd/system/x.service": ScriptWritersTests.unit, "etc/systemd/system/x.timer": timer]
        let link = [("etc/systemd/system/timers.target.wants/x.timer", "/etc/systemd/system/x.timer")]
        #expect(try writers(files, links: link) == [found])
    }

    // MARK: cron

    @Test(arguments: [
        ("@reboot root \(set)", "late a job of cron: nf_conntrack_max=5"),
        ("@reboot root sleep 60 && \(set) # x", "late a job of cron: nf_conntrack_max=5"),
        ("* * * * * root \(set)", "always a job of cron: nf_conntrack_max=5"),
        ("*/5 * * * * root \(set) >/dev/null 2>&1", "always a job of cron: nf_conntrack_max=5"),
        ("0 3 * * * root \(set)", "always a job of cron?: nf_conntrack_max=5"),
        ("@hourly root /opt/tune", "always a job of cron: nf_conntrack_max=5"),
    ])
    func `a job of cron that sets the limit is a writer`(_ line: String, _ found: String) throws {
        let files = ["etc/cron.d/x": "PATH=/bin\n\(line)\n", "opt/tune": ScriptWritersTests.script]
        #expect(try writers(files) == [found])
        let own = line.replacing(" root ", with: " ")
        #expect(try writers(["var/spool/cron/crontabs/root": own, "opt/tune": ScriptWritersTests.script]) == [found])
    }

    @Test(arguments: [
        "# @reboot root \(set)", "@reboot nobody \(set)", "* * * * * root /usr/bin/check nf_conntrack_max",
        "* * * * * root [ $(cat /proc/sys/net/netfilter/nf_conntrack_count) -gt 5 ] && mail root",
        "* * * * * root echo \"$(sysctl -n net.netfilter.nf_conntrack_max)\" > /var/lib/x", "@reboot root true %\(set)",
    ])
    func `a job that sets nothing is no writer`(_ line: String) throws {
        #expect(try writers(["etc/crontab": line + "\n"]) == [])
    }

    @Test func `a job in a folder must be one that run-parts runs`() throws {
        let files = ["etc/cron.hourly/x": ScriptWritersTests.script]
        #expect(
            try writers(files, executable: ["etc/cron.hourly/x"]) == ["always /etc/cron.hourly/x: nf_conntrack_max=5"])
        #expect(
            try writers(["etc/cron.hourly/x.sh": ScriptWritersTests.script], executable: ["etc/cron.hourly/x.sh"]) == []
        )
    }

    // MARK: Bounds

    @Test func `what can't be read, and what has no end, is passed over`() throws {
        let links = [("etc/rc.local", "rc.local"), (ScriptWritersTests.wants + "x.service", "x.service")]
        #expect(try writers([:], links: links) == [])
        let big = ScriptWritersTests.script + String(repeating: "# nf_conntrack\n", count: 20_000)
        #expect(try writers(["etc/rc.local": big], executable: ["etc/rc.local"]) == [])
        let calls = "#!/bin/sh\n# sysctl\n/etc/rc.local\n/etc/rc.local\n"
        #expect(try writers(["etc/rc.local": calls], executable: ["etc/rc.local"]) == [])
    }
}
