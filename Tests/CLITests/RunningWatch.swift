// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit

/// A `watch` that runs, and the host it watches: the host's files last as long as it does.
final class RunningWatch {
    private let host: FakeHost
    private let running: RunningCommand

    init(host: FakeHost, _ command: Command) throws {
        self.host = host
        running = try command.start()
    }

    var process: pid_t { running.process }
    var standardError: String { running.standardError }

    @discardableResult
    func waitForLine(
        on stream: RunningCommand.Stream = .stdout, containing text: String, within limit: Duration = .seconds(10)
    ) throws -> String {
        try running.waitForLine(on: stream, containing: text, within: limit)
    }

    @discardableResult
    func waitForLine(_ what: String, where matches: (String) -> Bool) throws -> String {
        try running.waitForLine(what, where: matches)
    }

    func send(signal: Int32) {
        running.send(signal: signal)
    }

    func waitForExit() throws -> ExitStatus? {
        try running.waitForExit()
    }

    /// Ends it as systemd would.
    func stop() throws -> ExitStatus? {
        running.send(signal: SIGTERM)
        return try running.waitForExit()
    }
}
