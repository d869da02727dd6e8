// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// How the parts of a text are joined.
@Suite struct ExplanationTests {
    @Test(
        arguments: [
            (Explanation("a"), "a", "a"),
            (Explanation("a", why: ["b", "c: d"]), "a; b; c: d", "a; b; c: d"),
            (Explanation("a", fix: .init("f")), "a", "a; fix: f"),
            (Explanation("a", fix: .init("f", label: .hostNamespace)), "a", "a; fix, in the host's namespace: f"),
            (Explanation("a", fix: .init("f", label: .bound)), "a", "a; to bound it: f"),
            (Explanation("a", prevent: "p"), "a", "a; prevent: p"),
            (Explanation("a", why: ["b"], next: "n"), "a; b; next: n", "a; b; next: n"),
            (
                Explanation("a", why: ["b"], next: "n", age: .seconds(75), fix: .init("f"), prevent: "p"),
                "a; b; next: n (75.0s ago)", "a; b; next: n (75.0s ago); fix: f; prevent: p"
            ),
            // What a part says is nobody's separator.
            (
                Explanation("a; fix", why: ["b; fix: c"], fix: .init("f")), "a; fix; b; fix: c",
                "a; fix; b; fix: c; fix: f"
            ),
        ] as [(Explanation, String, String)])
    func `parts are joined to a line, with and without the cure`(
        _ explanation: Explanation, _ headline: String, _ text: String
    ) {
        #expect(explanation.headline == headline)
        #expect(explanation.text == text)
    }
}
