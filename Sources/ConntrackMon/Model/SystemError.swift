// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// A system call that failed: what was being done, to what, and errno.
public struct SystemError: Error, Equatable, CustomStringConvertible, Sendable {
    /// What was being done, as a verb phrase ("open", "join the event groups of").
    public var operation: String
    /// The path or object it was done to.
    public var object: String
    /// The errno value, positive.
    public var code: Int32

    /// A failed call.
    public init(_ operation: String, _ object: String, _ code: Int32) {
        self.operation = operation
        self.object = object
        self.code = code
    }

    /// "cannot open /proc/x: Permission denied".
    public var description: String {
        "cannot \(operation) \(object): \(SystemError.text(code))"
    }

    /// The system's words for an errno value (strerror(3), safe in any thread since glibc 2.32).
    public static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// Whether a capability is lacking.
    public var isNotPermitted: Bool { code == EPERM }
}
