// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

@Suite struct FileTests {
    @Test func `a temporary directory goes with all that is in it`() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        try directory?.write("text", to: "a/b/c")
        #expect(try directory?.read("a/b/c") == "text")
        directory = nil

        #expect(access(path, F_OK) == -1)
    }

    @Test func `equal texts have no diff`() {
        #expect(Golden.unifiedDiff(from: "a\nb\n", to: "a\nb\n", name: "x") == nil)
    }

    @Test func `a diff shows what changed, with three lines around it`() {
        let old = (1...20).map { "\($0)\n" }.joined()
        let new = old.replacing("5\n6", with: "5\n5b\n6", maxReplacements: 1).replacing("20\n", with: "20")

        #expect(
            Golden.unifiedDiff(from: old, to: new, name: "x") == """
                --- x (golden)
                +++ x (now)
                @@ -3,6 +3,7 @@
                 3
                 4
                 5
                +5b
                 6
                 7
                 8
                @@ -17,4 +18,4 @@
                 17
                 18
                 19
                -20
                +20 (no newline at the end)

                """)
    }

    @Test(.enabled(if: getenv("UPDATE_GOLDEN") == nil, "UPDATE_GOLDEN writes golden files instead"))
    func `a golden file that is not there is a difference`() throws {
        #expect(try Golden.compare("text\n", with: "no/such/file")?.contains("UPDATE_GOLDEN=1") == true)
    }

    @Test func `eventually gives up, and not before its time`() {
        var looks = 0
        #expect(
            eventually {
                looks += 1
                return looks == 3
            })
        let start = ContinuousClock.now
        #expect(!eventually(within: .milliseconds(20)) { false })
        #expect(ContinuousClock.now - start >= .milliseconds(20))
    }
}
