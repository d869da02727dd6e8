// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

/// Help, version, completion, and every way to call it wrongly.
/// A process, since the command line's parser itself prints and exits.
@Suite struct UsageTests {
    @Test(arguments: [[], ["watch"], ["check"], ["status"], ["top"], ["events"], ["doctor"]])
    func `the help is as before`(_ command: [String]) throws {
        let help = try Command.conntrackMon(command + ["--help"]).run()

        #expect(help.status == .exited(0))
        #expect(help.standardError == "")
        let name = (["help"] + command).joined(separator: "-")
        let difference = try Golden.compare(help.standardOutput, with: "\(name).txt")
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test func `the version is one line`() throws {
        let version = try Command.conntrackMon(["--version"]).run()

        #expect(version.status == .exited(0))
        #expect(version.standardOutput.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(version)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions know the commands`(_ shell: String) throws {
        let script = try Command.conntrackMon(["--generate-completion-script", shell]).run()

        #expect(script.status == .exited(0))
        for word in ["watch", "check", "status", "top", "events", "doctor", "textfile"] {
            #expect(script.standardOutput.contains(word), "\(word)")
        }
    }

    @Test func `bash finds no fault in its completions`() throws {
        let script = try Command.conntrackMon(["--generate-completion-script", "bash"]).run().standardOutput
        let parsed = try Command("bash", "-n", "/dev/stdin", input: script).run()

        #expect(parsed.status == .exited(0), "\(parsed)")
        #expect(parsed.standardError == "")
    }

    static let wrong: [(flag: String, value: String)] = [
        ("--sample", "10"), ("--sample", "-1s"), ("--sample", "0s"), ("--sample", "1w"), ("--sample", "abc"),
        ("--sample", "2s"), ("--interval", "0"), ("--interval", ""), ("--interval", "1.5.5s"), ("--interval", "50ms"),
        ("--duration", "soon"), ("--count", "0"), ("--count", "-3"), ("--count", "many"),
        ("--ring", "1000"), ("--ring", "0"), ("--ring", "-2"), ("--ring", "33554432"), ("--ring", "big"),
        ("--events", "new,dead"), ("--events", "new,"), ("--source", "magic"), ("--receive-buffer", "0"),
        ("--receive-buffer", "16G"), ("--receive-buffer", "2048M"), ("--receive-buffer", "-1"),
        ("--warn", "120%"), ("--warn", "-5%"), ("--warn", "75 %"), ("--warn", "0%"), ("--warn", "95%"),
        ("--crit", "1.1"), ("--crit", "nan"), ("--crit", "10%"), ("--clear-margin", "x"),
        ("--warn-hold", "30"), ("--crit-hold", "5sec"), ("--clear-hold", "-1m"), ("--repeat", "daily"),
        ("--unload-hold", "1e3s"), ("--settle", "inf"), ("--adopt", "15 m"), ("--forecast", "%"),
        ("--expect-max", "lots"), ("--expect-max", "-1"), ("--expect-max", "+5"), ("--receive-buffer", "+5"),
        ("--expect-max", "99999999999"), ("--expect-max", "64K"),
        ("--boot-grace", "2"), ("--boot-grace", "-2m"), ("--boot-grace", "soon"), ("--absent", "maybe"),
        ("--absent", ""), ("--absent", "unknown"), ("--state", "/dev/null"), ("--state", "/tmp"), ("--state", "/tmp/"),
        ("--state", ""),
        ("--event-budget", "0%"), ("--event-budget", "0"), ("--event-budget", "101%"), ("--event-budget", "5"),
        ("--event-budget", "-5%"), ("--event-cost", "0us"), ("--event-cost", "2.5"), ("--event-cost", "2s"),
        ("--event-cost", "2ms"), ("--event-cost", "-1us"), ("--event-cost", "0.5ns"), ("--event-cost", "us"),
        ("--format", "xml"), ("--alert-format", "yaml"), ("--textfile", "metrics.txt"), ("--textfile-interval", "0s"),
    ]

    @Test(arguments: wrong)
    func `a wrong value is named with its flag, and nothing is started`(_ flag: String, _ value: String) throws {
        let host = try FakeHost()
        var arguments = ["--run-dir", host.runDirectory, flag, value]
        if flag != "--textfile" { arguments += ["--textfile", host.textfile] }
        let outcome = try host.command("watch", arguments: arguments).run()
        let lines = outcome.standardError.split(separator: "\n")

        #expect(outcome.status == .exited(64), "\(outcome)")
        #expect(outcome.standardOutput == "")
        let digits = value.prefix { $0 != "%" }
        #expect(lines.contains { $0.contains(flag) && $0.contains(digits) }, "\(outcome)")
        #expect(throws: SystemError.self) { try readFile(host.textfile) }
        #expect(throws: SystemError.self) { try readFile(host.runDirectory + "/status.json") }
    }

    @Test func `a flag there is not is named`() throws {
        let outcome = try FakeHost().run("watch", "--no-such-flag", "--count", "1")

        #expect(outcome.status == .exited(64))
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.contains("'--no-such-flag'"))
    }

    @Test func `a textfile that is a folder is wrong`() throws {
        let host = try FakeHost()
        try host.directory.write("", to: "folder.prom/inside")
        let path = host.directory.path(of: "folder.prom")
        let outcome = try host.run("watch", "--textfile", path)

        #expect(outcome.status == .exited(64))
        #expect(outcome.standardError.contains("--textfile \(path): is a folder"))
    }

    @Test func `a folder for the textfile that is not there is one line and exit 1`() throws {
        let host = try FakeHost()
        let path = host.directory.path(of: "none/a.prom")
        let outcome = try host.run("watch", "--textfile", path, "--count", "1")

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.standardError.contains("--textfile \(path)"))
        #expect(outcome.standardError.contains("No such file or directory"))
    }

    @Test func `a folder for the state that is not there is one line and exit 1`() throws {
        let host = try FakeHost()
        let path = host.directory.path(of: "none/state")
        let outcome = try host.run("watch", "--state", path, "--count", "1")

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.standardError.contains("--state \(path)"))
        #expect(outcome.standardError.contains("No such file or directory"))
    }

    @Test(arguments: ["watch", "status"])
    func `a proc that is not there is one line and exit 1`(_ command: String) throws {
        let outcome = try Command.conntrackMon([command, "--procfs", "/nonexistent"]).run()

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.standardError.contains("--procfs /nonexistent: no such folder"))
    }

    @Test(arguments: ["watch", "status"])
    func `a proc of another network namespace is refused`(_ command: String) throws {
        let host = try FakeHost()
        try host.directory.write("", to: "proc/1/ns/net")
        let outcome = try host.run(command)

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardError.contains("belongs to another network namespace"), "\(outcome)")
    }

    @Test func `a namespace that is not there is one line and exit 1`() throws {
        let outcome = try FakeHost().run("status", "--netns", "no-such-namespace")

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardError.contains("/run/netns/no-such-namespace: No such file or directory"))
    }

    @Test func `a hook that cannot be run is said before anything starts`() throws {
        let host = try FakeHost()
        let outcome = try host.run("watch", "--on-alert", "/nonexistent/hook", "--count", "1")

        #expect(outcome.status == .exited(1))
        #expect(outcome.standardOutput == "")
        #expect(outcome.standardError.contains("--on-alert /nonexistent/hook: No such file or directory"))
    }
}
