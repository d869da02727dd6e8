// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

@Suite struct TextTableTests {
    @Test func `numbers stand to the right, words to the left, and no line ends with a filled cell`() {
        var table = TextTable([.right, .left(), .left()])
        table.add(["n", "word", "last"])
        table.add(["1000", "w", "a"])
        table.add(["7", "longest", ""])

        #expect(table.lines() == ["   n  word     last", "1000  w        a", "   7  longest  "])
    }

    @Test func `a column has its least width, lines are indented, the gap is chosen`() {
        var table = TextTable([.left(atLeast: 4), .left()], gap: 1)
        table.add(["a", "x"])
        table.add(["", "y"])

        #expect(table.lines(indent: 2) == ["  a    x", "       y"])
    }

    @Test func `without rows there are no lines`() {
        #expect(TextTable([.right]).lines() == [])
    }
}
