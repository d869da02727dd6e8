// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

@Suite struct RowLookTests {
    private func look(_ isTerminal: Bool, _ environment: [String: String]) -> RowLook {
        RowLook(isTerminal: isTerminal) { environment[$0] }
    }

    @Test func `colour is for a terminal that wants it`() {
        #expect(look(true, ["TERM": "xterm"]).isColoured)
        #expect(!look(false, ["TERM": "xterm"]).isColoured)
        #expect(!look(true, ["TERM": "xterm", "NO_COLOR": "1"]).isColoured)
        #expect(look(true, ["TERM": "xterm", "NO_COLOR": ""]).isColoured)
        #expect(!look(true, ["TERM": "dumb"]).isColoured)
        #expect(!look(true, [:]).isColoured)
    }

    @Test func `the first locale that is set says whether it may be more than ASCII`() {
        #expect(look(true, [:]).isPlain)
        #expect(look(true, ["LANG": "C"]).isPlain)
        #expect(!look(true, ["LANG": "de_DE.UTF-8"]).isPlain)
        #expect(!look(true, ["LANG": "C", "LC_CTYPE": "C.utf8"]).isPlain)
        #expect(look(true, ["LC_ALL": "C", "LANG": "en_US.UTF-8"]).isPlain)
        #expect(!look(true, ["LC_ALL": "", "LANG": "en_US.UTF-8"]).isPlain)
    }
}
