// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Whether the kernel's uevents reach this process.
@Suite struct UeventSocketTests {
    @Test func `uevents are relied on where ids are mapped onto themselves, and nowhere else`() throws {
        let map = try readFile("/proc/self/uid_map").split(whereSeparator: \.isWhitespace)
        let socket = try UeventSocket()

        #expect(socket.isReliable == (map == ["0", "0", "4294967295"]))
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)))
    func `where nothing was sent nothing is told`() throws {
        let namespace = try TestNamespace()
        let (unloads, loads, lost) = try namespace.run {
            let socket = try UeventSocket()
            let news = socket.take()
            return (news.unloads, news.loads, news.lost)
        }

        #expect([unloads, loads] == [0, 0])
        #expect(!lost)
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)))
    func `loads and unloads are counted apart, all that wait at once`() throws {
        let namespace = try TestNamespace()
        let counts = try namespace.run {
            let socket = try UeventSocket()
            for action in ["remove", "add", "remove", "add", "remove"] {
                let text = "\(action)@/module/nf_conntrack\0ACTION=\(action)\0"
                try #require(ctk_kernel_uevent(text, text.utf8.count) == 0)
            }
            let (first, second) = (socket.take(), socket.take())
            return [first.unloads, first.loads, second.unloads, second.loads]
        }

        #expect(counts == [3, 2, 0, 0])
    }
}
