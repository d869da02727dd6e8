// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// The terminal view of `watch`: takes reports, announcements and keys, and gives frames. No clock, no terminal.
package struct LiveView: Sendable {
    /// What a terminal can show.
    package struct Capabilities: Equatable, Sendable {
        /// Else nothing but ASCII.
        package var isUTF8: Bool
        /// Else bold, dim and reverse alone (NO_COLOR).
        package var hasColour: Bool

        /// Both, unless told otherwise.
        package init(isUTF8: Bool = true, hasColour: Bool = true) {
            self.isUTF8 = isUTF8
            self.hasColour = hasColour
        }
    }

    /// Whose host and namespace.
    let identity: Identity
    let capabilities: Capabilities
    private(set) var history = LiveHistory()
    var state = LiveState()
    /// The newest.
    private var newest: Report?
    /// What was shown when it was frozen, and the number of its point.
    private var frozen: (report: Report?, point: Int)?
    /// Rows that fitted into the last frame's list, for a page.
    var pageRows = 10

    /// Nothing to show yet.
    package init(identity: Identity, capabilities: Capabilities = Capabilities()) {
        self.identity = identity
        self.capabilities = capabilities
    }

    // MARK: What comes

    /// An interval's end.
    package mutating func take(_ report: Report) {
        history.add(report)
        newest = report
        // What is looked at may be gone from memory by now.
        if let at = state.at, let first = history.numbers.first, at < first { state.at = first }
    }

    /// Something said.
    package mutating func take(_ announcement: Announcement) {
        history.add(announcement)
    }

    // MARK: What is looked at

    /// The report to show: the newest, or that of the moment when it was frozen.
    var report: Report? { state.at == nil ? newest : frozen?.report }

    /// The number of the point that is looked at.
    var viewed: Int? { state.at ?? history.numbers.last }

    /// It is another moment than that of `report`.
    var isPast: Bool { state.at != nil && state.at != frozen?.point }

    /// How old what is looked at is, against the newest.
    var age: Duration? {
        guard let at = state.at, let point = history[at], let last = history.last else { return nil }
        return last.moment.monotonic - point.moment.monotonic
    }

    mutating func freeze() {
        guard state.at == nil, let last = history.numbers.last else { return }
        frozen = (newest, last)
        state.at = last
    }

    mutating func unfreeze() {
        state.at = nil
        frozen = nil
    }

    /// Looks at another moment.
    mutating func look(at number: Int) {
        freeze()
        guard let first = history.numbers.first, let last = history.numbers.last else { return }
        state.at = min(max(number, first), last)
    }
}
