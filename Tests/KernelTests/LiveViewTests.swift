// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

/// The terminal view over a real table.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("tmux")))) struct LiveViewTests {
    @Test func `it shows the table, who fills it, and the kernel's counters`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let command = try [Repository.builtBinary(), "watch", "--interval", "200ms", "--sample", "20ms"]
        let pane = try TerminalPane(columns: 120, rows: 40, in: namespace, command)
        try pane.wait(for: "events by ")
        #expect(try namespace.makeEntries(count: 300) == 300)
        try pane.wait(for: "entries  300")
        try pane.press("2")
        try pane.wait(for: "a source and a destination with all of it") { text in
            let rows = text.split(separator: "\n")
            return rows.contains { $0.hasPrefix("source ") } && rows.contains { $0.hasPrefix("destination ") }
        }
        try pane.press("Enter")
        try pane.wait(for: "conntrack-mon top --by source,destination,port")
        try pane.press("4")
        try pane.wait(for: "insert_failed")
        try pane.press("6")
        try pane.wait(for: "INFO monitor: events by ")
    }
}
