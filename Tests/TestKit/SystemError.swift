// SPDX-License-Identifier: GPL-3.0-or-later

@_exported public import CTestKit
internal import Glibc

/// A system call that failed, with the reason the kernel gave.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// What was tried, as in "open /proc/net/stat/nf_conntrack".
    public let call: String
    /// The errno value, positive.
    public let code: Int32

    /// Names a call that has just failed; errno says why.
    public init(_ call: String) {
        self.init(call, code: errno)
    }

    /// Names a failed call and why it did.
    public init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// As in "unshare: Operation not permitted".
    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }

    /// Throws when `result`, of a function that returns a negative errno value, is negative; returns it otherwise.
    @discardableResult
    public static func check(_ call: String, _ result: Int32) throws -> Int32 {
        guard result >= 0 else { throw SystemError(call, code: -result) }
        return result
    }
}

/// A failure that no errno value describes.
public struct TestKitError: Error, CustomStringConvertible {
    /// What went wrong, in a sentence.
    public let description: String

    /// Makes an error of a sentence.
    public init(_ description: String) {
        self.description = description
    }
}
