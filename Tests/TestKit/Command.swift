// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// How a program ended.
public enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    /// It exited with this status.
    case exited(Int32)
    /// This signal killed it.
    case killed(Int32)

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .killed(signal)
    }

    /// As in "exit status 1" or "killed by signal 9".
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}

/// A program to run: what, with which arguments, in which environment.
public struct Command: Sendable {
    /// What is left of a program that has ended.
    public struct Outcome: Sendable, CustomStringConvertible {
        /// How it ended.
        public let status: ExitStatus
        /// All it wrote to standard output.
        public let standardOutput: String
        /// All it wrote to standard error.
        public let standardError: String

        /// All three, for a test's message.
        public var description: String {
            "\(status)\n-- stdout\n\(standardOutput)-- stderr\n\(standardError)"
        }
    }

    /// A path, or a name to look for in PATH.
    public var program: String
    /// The arguments after the program's name.
    public var arguments: [String]
    /// Variables to set, or with nil to unset, on top of the inherited ones.
    public var environment: [String: String?]
    /// Text for standard input; nil = /dev/null.
    public var input: String?

    /// A program and its arguments.
    public init(
        _ program: String, _ arguments: String..., environment: [String: String?] = [:], input: String? = nil
    ) {
        self.init(program, arguments: arguments, environment: environment, input: input)
    }

    /// A program and its arguments.
    public init(
        _ program: String, arguments: [String], environment: [String: String?] = [:], input: String? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.input = input
    }

    /// Starts the program, in `namespace` if given: a child inherits the network namespace of the thread that starts it.
    public func start(in namespace: TestNamespace? = nil) throws -> RunningCommand {
        guard !Requirement.isUnit else { throw TestKitError("\(program): no process in make unit: require .process") }
        let spawned: Spawned
        if let namespace {
            spawned = try namespace.run { try Spawned(self) }
        } else {
            spawned = try Spawned(self)
        }
        return try RunningCommand(self, spawned)
    }

    /// Runs the program to its end. One that has not ended within `limit` is killed, and that is an error.
    public func run(in namespace: TestNamespace? = nil, within limit: Duration = .seconds(30)) throws -> Outcome {
        let running = try start(in: namespace)
        guard let status = try running.waitForExit(within: limit) else {
            running.send(signal: SIGKILL)
            _ = try running.waitForExit(within: .seconds(10))
            throw TestKitError("\(program) \(arguments) did not end within \(limit)\n\(running.transcript)")
        }
        return Outcome(
            status: status, standardOutput: running.standardOutput, standardError: running.standardError)
    }
}
