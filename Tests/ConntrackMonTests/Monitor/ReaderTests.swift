// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// The reader on a host made of files: no events, and a table that goes.
@Suite struct ReaderTests {
    @Test func `what it learns last is told although the ring is full when it ends`() throws {
        let directory = try TemporaryDirectory()
        let folder = "proc/sys/net/netfilter/"
        for name in ["nf_conntrack_count", "nf_conntrack_max"] { try directory.write("1000\n", to: folder + name) }
        var settings = Settings()
        settings.procfs = directory.path(of: "proc")
        settings.sysfs = directory.path(of: "sys")
        settings.sample = .milliseconds(1)
        let channel = try Channel(capacity: 2)
        let reader = try Reader.start(ReaderPlan(settings, HostPaths(settings)), channel: channel)
        #expect(eventually { channel.ring.count == 2 })
        for name in ["nf_conntrack_count", "nf_conntrack_max"] { unlink(directory.path(of: folder + name)) }

        var looks: [cnf_table] = []
        func drain() {
            channel.ring.drain { records in
                for index in records.indices { looks.append(records[index].table) }
            }
        }
        // Whoever waits for it is slow: it rings often before there is room.
        var rings = 0
        let hasEnded = reader.stop {
            rings += 1
            if rings >= 10 { drain() }
        }
        drain()

        #expect(hasEnded)
        #expect(looks.count { $0.unloaded != 0 } == 1)
        #expect(looks.last?.limit_errno == ENOENT)
    }
}
