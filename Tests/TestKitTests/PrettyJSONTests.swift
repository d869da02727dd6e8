// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

@Suite struct PrettyJSONTests {
    @Test func `members stand in the order of their keys, numbers and strings as they are written`() throws {
        let text = #"{"b":[1,2.50,{"z":null,"y":"\"\\"}],"a":{},"c":[]} {"a":-1e-3}"#
        #expect(
            try PrettyJSON.layOut(text) == """
                {
                  "a": {},
                  "b": [
                    1,
                    2.50,
                    {
                      "y": "\\"\\\\",
                      "z": null
                    }
                  ],
                  "c": []
                }
                {
                  "a": -1e-3
                }

                """)
    }

    @Test func `what is laid out stays as it is`() throws {
        let once = try PrettyJSON.layOut(#"[{"a":[true,"é"]},7]"#)
        #expect(try PrettyJSON.layOut(once) == once)
    }

    @Test(arguments: [
        "{", "[1,]", "{\"a\" 1}", "{\"a\":1,\"a\":2}", "{a:1}", "\"a", "nul", "1.2.3", "[1 2]", "]", "\"a\nb\"", "NaN",
        "+1",
        "\"\\",
    ])
    func `what is no JSON is refused`(_ text: String) {
        #expect(throws: PrettyJSON.Failure.self) { try PrettyJSON.layOut(text) }
    }
}
