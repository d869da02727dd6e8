// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import Benchmarks

struct SpreadTests {
    @Test func `the median is the middle value, or the mean of the two in the middle`() throws {
        #expect(Spread.median([5, 1, 3]) == 3)
        #expect(Spread.median([4, 1, 3, 2]) == 2.5)
        #expect(Spread.median([7]) == 7)
        #expect(Spread.median([]) == nil)
    }

    @Test func `a spread tells the ends and how many rounds there were`() throws {
        let spread = try #require(Spread([2, 9, 4]))
        #expect(spread.lowest == 2)
        #expect(spread.median == 4)
        #expect(spread.highest == 9)
        #expect(spread.rounds == 3)
        #expect(Spread([]) == nil)
    }

    @Test func `ratios are taken within a round, and a round that lacks one side has none`() {
        #expect(Spread.ratios([2, nil, 9, 4], to: [1, 5, 3, nil]) == [2, 3])
        #expect(Spread.ratios([1, 8], to: [0, 2]) == [4])
    }

    @Test(arguments: [
        (0.0449, 3, "0.045"), (2.0, 1, "2.0"), (-0.25, 1, "-0.3"), (-0.01, 1, "0.0"), (19.96, 1, "20.0"), (12, 0, "12"),
        (0.5, 0, "1"),
    ])
    func `a number is written with so many digits, rounded`(number: Double, digits: Int, text: String) {
        #expect(number.text(digits) == text)
    }

    @Test func `a rate has its thousands set apart`() {
        #expect(225_000.4.grouped == "225,000")
        #expect(1_000_000.0.grouped == "1,000,000")
        #expect(999.0.grouped == "999")
        #expect((-1234.0).grouped == "-1,234")
    }

    @Test func `a figure has at least three significant digits`() {
        #expect([0, 0.0452, 0.782, 3.1, 34.56, 225.4].map(\.short) == ["0", "0.0452", "0.782", "3.10", "34.6", "225"])
    }
}
