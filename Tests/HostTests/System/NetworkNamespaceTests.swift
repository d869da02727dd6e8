// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Whose table a /proc shows.
@Suite struct NetworkNamespaceTests {
    @Test func `a proc mounted from another network namespace is found out`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "proc/1/ns/net")
        let procfs = directory.path(of: "proc")
        let mismatch = try #require(NetworkNamespace.mismatch(procfs: procfs))

        #expect(mismatch.contains("\(procfs) belongs to another network namespace"))
        #expect(mismatch.contains("--netns \(procfs)/1/ns/net"))
    }

    @Test func `a proc of the same namespace is believed`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "proc/1/ns/other")
        symlink("/proc/self/ns/net", directory.path(of: "proc/1/ns/net"))

        #expect(NetworkNamespace.mismatch(procfs: directory.path(of: "proc")) == nil)
    }

    @Test func `a saved tree that says nothing of namespaces is believed`() throws {
        #expect(NetworkNamespace.mismatch(procfs: try TemporaryDirectory().path) == nil)
    }

    @Test(arguments: [("blue", "blue"), ("/run/netns/blue", "blue"), ("/var/run/netns/blue", "blue")])
    func `a namespace is called by the name it was entered by`(_ name: String, _ label: String) {
        #expect(NetworkNamespace.identity(host: "gw12", entered: name).netns == label)
    }

    @Test func `a path that names nothing is called as the namespace it leads to`() {
        // Entering it is the caller's doing: the label is that of the namespace this process is in by then.
        #expect(
            NetworkNamespace.identity(host: "gw12", entered: "/proc/12/ns/net")
                == NetworkNamespace.identity(host: "gw12", entered: nil))
    }
}
