// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Where things lie that tests use.
public enum Repository {
    /// The directory that holds Package.swift.
    public static let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }

    /// The `conntrack-mon` that was built along with the running tests, or the one CONNTRACK_MON_BINARY names.
    public static func builtBinary() throws -> String {
        if let given = getenv("CONNTRACK_MON_BINARY").map({ String(cString: $0) }), !given.isEmpty { return given }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bytes = buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }
        let runner = String(decoding: bytes, as: UTF8.self)
        let beside = runner.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
        let candidates = [beside, "\(root)/.build/debug"].map { "\($0)/conntrack-mon" }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw TestKitError("no conntrack-mon at \(candidates); build it or set CONNTRACK_MON_BINARY")
        }
        return found
    }
}
