// SPDX-License-Identifier: GPL-3.0-or-later

/// The text of an alert or notice in parts, so that no program has to take a sentence apart. They are joined here and
/// nowhere else; lines, JSON and the status have the joined text.
public struct Explanation: Equatable, Sendable {
    /// What ends it.
    public struct Fix: Equatable, Sendable {
        /// How the line introduces it.
        public enum Label: String, Sendable {
            case here = "fix"
            /// The setting exists there only: another namespace can't write it.
            case hostNamespace = "fix, in the host's namespace"
            /// Nothing is wrong; it may be too much.
            case bound = "to bound it"
        }

        /// What to type or to change.
        public var text: String
        /// How the line introduces it.
        public var label: Label

        /// A cure, to be typed where the monitor runs unless `label` says otherwise.
        public init(_ text: String, label: Label = .here) {
            self.text = text
            self.label = label
        }
    }

    /// What is the case, with figures.
    public var what: String
    /// Why, and what goes with it; a clause each.
    public var why: [String]
    /// The next command to type, to learn more.
    public var next: String?
    /// How old what `why` and `next` rest on is; nil as long as it does not matter.
    public var age: Duration?
    /// What ends it.
    public var fix: Fix?
    /// What keeps it from coming back.
    public var prevent: String?

    /// Only `what` is always there.
    public init(
        _ what: String, why: [String] = [], next: String? = nil, age: Duration? = nil, fix: Fix? = nil,
        prevent: String? = nil
    ) {
        self.what = what
        self.why = why
        self.next = next
        self.age = age
        self.fix = fix
        self.prevent = prevent
    }

    /// Without the cure: "WHAT; WHY; next: NEXT (75.0s ago)", for where there is no room for it.
    public var headline: String {
        let clauses = [what] + why + (next.map { ["next: \($0)"] } ?? [])
        let seen = age.map { " (\(readable(seconds: $0.inSeconds)) ago)" } ?? ""
        return clauses.joined(separator: "; ") + seen
    }

    /// All of it: "WHAT; WHY; next: NEXT; fix: FIX; prevent: PREVENT".
    public var text: String {
        let cure = fix.map { "; \($0.label.rawValue): \($0.text)" } ?? ""
        return headline + cure + (prevent.map { "; prevent: \($0)" } ?? "")
    }
}

/// What an empty table may mean.
package let nothingTrackedText =
    "0 entries: there is no traffic, or no rule in this network namespace uses connection tracking"
    + " (an nft ct expression, iptables -m conntrack or a nat rule switches it on)"
