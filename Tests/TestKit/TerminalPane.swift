// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// A terminal with a program in it: a pane of a tmux server of its own. Everything ends with the last reference.
public final class TerminalPane {
    private let folder: TemporaryDirectory

    /// Starts `command` in a pane of that size, in `namespace` if given. `environment` is added to that of the tests.
    public init(
        columns: Int = 80, rows: Int = 24, environment: [String: String] = [:], in namespace: TestNamespace? = nil,
        _ command: [String]
    ) throws {
        folder = try TemporaryDirectory()
        // What the program leaves is looked at after its end.
        let configuration = try folder.write("set -g remain-on-exit on\nset -g status off\n", to: "tmux.conf")
        let variables = ["LC_ALL": "C.UTF-8", "NO_COLOR": ""].merging(environment) { $1 }
        let words = variables.sorted { $0.key < $1.key }.flatMap { ["-e", "\($0.key)=\($0.value)"] }
        try tmux(
            ["-f", configuration, "-u", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)"] + words + command,
            in: namespace)
    }

    deinit {
        _ = try? tmux(["kill-server"])
    }

    /// Presses keys, as tmux names them ("q", "Enter", "C-z"); a longer word is typed.
    public func press(_ keys: String...) throws {
        try tmux(["send-keys"] + keys)
    }

    /// What it shows.
    /// `withPast`: what has scrolled out of it too.
    public func text(withPast: Bool = false) throws -> String {
        try tmux(["capture-pane", "-p"] + (withPast ? ["-S", "-"] : []))
    }

    /// Waits until what it shows is as wanted, and returns it.
    @discardableResult
    public func wait(
        for what: String, within limit: Duration = .seconds(20), where holds: (String) -> Bool
    ) throws -> String {
        var last = ""
        let found = try eventually(within: limit) {
            last = try text()
            return holds(last)
        }
        guard found else { throw TestKitError("the terminal does not show \(what):\n\(last)") }
        return last
    }

    /// Waits until it shows `text`.
    @discardableResult
    public func wait(for text: String, within limit: Duration = .seconds(20)) throws -> String {
        try wait(for: "'\(text)'", within: limit) { $0.contains(text) }
    }

    /// Another size.
    public func resize(columns: Int, rows: Int) throws {
        try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
    }

    /// The process that it was started with.
    public func process() throws -> Int32 {
        let text = try tmux(["display-message", "-p", "#{pane_pid}"])
        guard let process = Int32(text.filter { $0 != "\n" }) else { throw TestKitError("no pane: \(text)") }
        return process
    }

    /// Closes the terminal while the program runs.
    public func close() throws {
        try tmux(["kill-server"])
    }

    @discardableResult
    private func tmux(_ words: [String], in namespace: TestNamespace? = nil) throws -> String {
        let command = Command("tmux", arguments: ["-S", folder.path(of: "tmux")] + words)
        let result = try command.run(in: namespace)
        guard result.status == .exited(0) else { throw TestKitError("tmux \(words): \(result)") }
        return result.standardOutput
    }
}
