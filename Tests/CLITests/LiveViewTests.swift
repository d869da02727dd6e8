// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// `watch` on a real terminal.
@Suite(.enabled(if: Requirement.met(.process, .program("tmux")))) struct LiveViewTests {
    private func watch(_ host: FakeHost, _ arguments: String...) throws -> [String] {
        let command = try host.command(
            "watch", arguments: ["--source", "none", "--sample", "20ms", "--interval", "200ms"] + arguments)
        return [command.program] + command.arguments
    }

    private func shell(_ words: [String]) -> String { words.map { "'\($0)'" }.joined(separator: " ") }

    /// What changes from run to run: times, the host's name, what the monitor took, and how far the plot has come.
    private func masked(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = String(line).replacing(#/[0-9-]{10} [0-9:]{8}Z/#, with: "DATE TIME")
            line = line.replacing(#/[0-9]{2}:[0-9]{2}:[0-9]{2}Z/#, with: "TIME").replacing(
                #/monitor [0-9.]+%/#, with: "monitor N%")
            line = line.replacing(#/in [0-9.]+s /#, with: "in SPAN ").replacing(#/netns [^ ]+ /#, with: "netns NETNS ")
            if let axis = line.firstIndex(where: { $0 == "│" }) { line = String(line[...axis]) }
            if line.hasPrefix("          ") { line = "          ..." }
            return line.replacing(#/ +LIVE/#, with: "  LIVE").replacing(#/ +$/#, with: "")
        }.joined(separator: "\n")
    }

    @Test(arguments: [(80, 24), (200, 60), (40, 12), (120, 40)])
    func `it fits the terminal`(_ columns: Int, _ rows: Int) throws {
        let host = try FakeHost(entries: "800")
        let pane = try TerminalPane(columns: columns, rows: rows, watch(host))
        let text = try pane.wait(for: "an interval") { $0.contains("80.0%") && $0.contains("monitor") }
        let difference = try Golden.compare(masked(hostless(text)), with: "live/terminal-\(columns)x\(rows).txt")
        #expect(difference == nil, "\(difference ?? "")")
    }

    /// Without the name of the machine that the test runs on.
    private func hostless(_ text: String) -> String {
        var name = utsname()
        uname(&name)
        let host = withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return text.replacing(" \(host) ", with: " HOST ")
    }

    @Test func `it follows keys and another size`() throws {
        let host = try FakeHost()
        let pane = try TerminalPane(watch(host))
        try pane.wait(for: "10.0%")
        try pane.press("5")
        try pane.wait(for: "accepted")
        try pane.press("Tab")
        try pane.wait(for: "INFO monitor: conntrack-mon")
        try pane.press("?")
        try pane.wait(for: "hide IP addresses")
        try pane.press("Escape")
        try pane.press("1")
        try pane.press("Space")
        try pane.wait(for: "FROZEN")
        try host.overwrite(host.countFile, with: "300")
        try pane.press("Space")
        try pane.wait(for: "30.0%")
        try pane.resize(columns: 120, rows: 30)
        try pane.wait(for: "the whole width") {
            $0.split(separator: "\n").first?.hasSuffix("LIVE") == true && $0.split(separator: "\n")[0].count > 110
        }
        try pane.resize(columns: 30, rows: 5)
        try pane.wait(for: "too small: 30x5")
    }

    @Test(arguments: ["q", "Q", "C-c", "TERM"])
    func `the terminal is as it was, and what was said is there`(_ way: String) throws {
        let host = try FakeHost()
        // The shell waits for what Ctrl-C ends.
        let script =
            "trap : INT; stty -g >before; \(shell(try watch(host))); echo ended $?; stty -g >after; echo done >finished"
        let pane = try TerminalPane(["sh", "-c", "cd '\(host.directory.path)'; \(script)"])
        try pane.wait(for: "10.0%")
        try host.overwrite(host.limitFile, with: "500")
        try pane.wait(for: "CRITICAL limit_dropped")
        if way == "TERM" {
            // The shell's child.
            let children = try Command("pgrep", "-P", "\(pane.process())", "-f", "conntrack-mon watch").run()
            let process = try #require(pid_t(children.standardOutput.filter { $0.isNumber }))
            kill(process, SIGTERM)
        } else {
            try pane.press(way)
        }
        try pane.wait(for: "ended 0")
        let text = try pane.text(withPast: true)
        let finished = eventually { access(host.directory.path(of: "finished"), F_OK) == 0 }
        #expect(finished)
        #expect(try host.directory.read("before") == host.directory.read("after"))
        #expect(text.contains("CRITICAL limit_dropped host="))
        #expect(text.contains(way == "q" || way == "Q" ? "q was pressed" : way == "TERM" ? "SIGTERM" : "SIGINT"))
        #expect(text.contains("[██") == (way == "Q"))
    }

    @Test func `Ctrl-Z gives the terminal to the shell, and fg takes it again`() throws {
        let host = try FakeHost()
        let pane = try TerminalPane(environment: ["PS1": "$ "], ["bash", "--norc", "-i"])
        try pane.press("cd '\(host.directory.path)'; stty -g >before; \(shell(try watch(host)))", "Enter")
        try pane.wait(for: "10.0%")
        try pane.press("C-z")
        try pane.wait(for: "Stopped")
        try pane.press("stty -g >after; echo wrote", "Enter")
        try pane.wait(for: "\nwrote")
        // bash gives back its own modes, in which lines are edited; while a command runs they are those of before.
        #expect(try host.directory.read("before") == host.directory.read("after"))
        try pane.press("fg", "Enter")
        try pane.wait(for: "10.0%")
        try pane.press("q")
        try pane.wait(for: "q was pressed")
    }

    @Test func `a closed terminal ends what publishes nothing elsewhere`() throws {
        let host = try FakeHost()
        let pane = try TerminalPane(watch(host))
        try pane.wait(for: "10.0%")
        let process = try pane.process()
        try pane.close()
        // Nobody may have waited for it yet.
        let ended = eventually { (try? readFile("/proc/\(process)/stat"))?.contains(") Z ") ?? true }
        #expect(ended)
    }

    @Test func `a closed terminal neither stops what publishes elsewhere nor accepts a fallen limit`() throws {
        let host = try FakeHost()
        let pane = try TerminalPane(watch(host, "--textfile", host.textfile, "--textfile-interval", "200ms"))
        try pane.wait(for: "10.0%")
        let process = try pane.process()
        defer { kill(process, SIGTERM) }
        try host.overwrite(host.limitFile, with: "500")
        try pane.wait(for: "CRITICAL limit_dropped")
        try pane.close()
        try host.overwrite(host.countFile, with: "77")
        let goesOn = eventually { (try? readFile(host.textfile))?.contains("\nconntrack_entries 77\n") == true }
        #expect(goesOn)
        #expect(try readFile(host.textfile).contains("alert=\"limit_dropped\",level=\"critical\"} 1"))
        #expect(try readFile(host.textfile).contains("\nconntrack_mon_up 1\n"))
    }

    @Test func `a crash gives the terminal back`() throws {
        let host = try FakeHost()
        let script = "stty -g >before; \(shell(try watch(host))); stty -g >after; echo done >finished"
        // Swift's own report of a crash would ask a person at a terminal what to show.
        let pane = try TerminalPane(
            environment: ["SWIFT_BACKTRACE": "enable=no"],
            ["sh", "-c", "cd '\(host.directory.path)'; ulimit -c 0; \(script)"])
        try pane.wait(for: "10.0%")
        let children = try Command("pgrep", "-P", "\(pane.process())", "-f", "conntrack-mon watch").run()
        let process = try #require(pid_t(children.standardOutput.filter { $0.isNumber }))
        kill(process, SIGSEGV)
        let finished = eventually { access(host.directory.path(of: "finished"), F_OK) == 0 }
        #expect(finished)
        #expect(try host.directory.read("before") == host.directory.read("after"))
        #expect(try !pane.text().contains("usage "))
    }

    @Test func `NO_COLOR and a locale without UTF-8 are heeded`() throws {
        let host = try FakeHost(entries: "800")
        let pane = try TerminalPane(environment: ["LC_ALL": "C", "NO_COLOR": "1"], watch(host))
        let text = try pane.wait(for: "80.0%")
        #expect(text.contains("[####"))
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test func `a dumb terminal gets lines, and the view only an error`() throws {
        let host = try FakeHost()
        let pane = try TerminalPane(environment: ["TERM": "dumb"], ["env", "TERM=dumb"] + watch(host))
        try pane.wait(for: "entries=100 limit=1000")
        let script = "TERM=dumb \(shell(try watch(host, "--format", "live"))); echo ended $?; exec cat"
        let refused = try TerminalPane(columns: 200, ["sh", "-c", script])
        let text = try refused.wait(for: "ended 1")
        #expect(text.contains("--format live: TERM is dumb: this terminal shows lines only (--format lines)"))
    }

    @Test func `the view without a terminal is an error of one line`() throws {
        let result = try FakeHost().run("watch", "--format", "live")
        #expect(result.status == .exited(1))
        #expect(
            result.standardError
                == "Error: --format live: stdout is no terminal (--format lines or json is for pipes and files)\n")
        #expect(result.standardOutput.isEmpty)
    }
}
