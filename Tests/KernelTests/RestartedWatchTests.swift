// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

extension LimitTests {
    @Test(arguments: [SIGTERM, SIGKILL])
    func `an alert that is over while nobody watches ends in the next run`(_ signal: Int32) throws {
        let namespace = try TestNamespace()
        let table = try Table(namespace)
        let folder = try TemporaryDirectory()
        func watch() throws -> Watch {
            try Watch(
                in: namespace, listening: false, "--events", "none", "--state", folder.path(of: "state"), "--warn",
                "0.3%",
                "--crit", "0.5%", "--clear-margin", "0.05%", "--crit-hold", "100ms", "--clear-hold", "300ms",
                "--textfile-interval", "1h")
        }
        let count = try table.fill(to: 0.006)
        let first = try watch()
        try first.waitForLine(" CRITICAL usage_high ")
        // Only the alert has it written.
        let isKept = eventually { (try? readFile(folder.path(of: "state")))?.contains("usage_high") == true }
        #expect(isKept)
        first.process.send(signal: signal)
        _ = try first.process.waitForExit(within: .seconds(20))
        _ = try table.fill(to: 0)
        let second = try watch()
        let line = try second.waitForLine(" RESOLVED usage_high ")

        #expect(line.contains(": after at most "), "\(line)")
        #expect(line.hasSuffix(": 0 of \(table.limit) entries (0.00%)"), "\(line)")
        #expect(count > 0)
        try second.stop()
        #expect(!second.process.standardError.contains("CRITICAL"))
    }
}
