// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
package import ConntrackModel
internal import Glibc

/// Events worded into a buffer as they are pumped off a socket, filtered before. One owner, one thread.
package struct EventLines: ~Copyable {
    let handle: OpaquePointer
    private let labels: OpaquePointer?

    /// How they are worded.
    package struct Plan: Sendable {
        package var format: EventFormat
        package var options: LineOptions
        package var look: RowLook
        package var filter: EntryFilter
        /// How many lines in all; nil = as many as come.
        package var most: Int?

        package init(
            format: EventFormat = .conntrack, options: LineOptions = [], look: RowLook = RowLook(),
            filter: EntryFilter = EntryFilter(), most: Int? = nil
        ) {
            self.format = format
            self.options = options
            self.look = look
            self.filter = filter
            self.most = most
        }
    }

    /// Makes the buffer.
    package init(_ plan: Plan) throws(SystemError) {
        var opened: OpaquePointer?
        // JSON has the numbers of labels that no file names.
        if plan.options.contains(.labels) || plan.format == .json { _ = cnf_labels_open(nil, &opened) }
        var style = cnf_style()
        style.format =
            switch plan.format {
            case .conntrack: CNF_FORMAT_CONNTRACK.rawValue
            case .json: CNF_FORMAT_JSON.rawValue
            case .table: CNF_FORMAT_TABLE.rawValue
            }
        style.options = plan.options.subtracting(.labels).rawValue
        if plan.look.isColoured { style.options |= CNF_STYLE_COLOUR.rawValue }
        if plan.look.isPlain { style.options |= CNF_STYLE_ASCII.rawValue }
        style.labels = opened
        let most = UInt64(plan.most ?? 0)
        var filter = cnf_filter(plan.filter)
        var made: OpaquePointer?
        let error =
            plan.filter.isEmpty
            ? cnf_lines_make(&style, nil, most, &made) : cnf_lines_make(&style, &filter, most, &made)
        guard error == 0, let made else {
            cnf_labels_close(opened)
            throw SystemError("allocate", "a buffer for events", -error)
        }
        handle = made
        labels = opened
    }

    deinit {
        cnf_lines_free(handle)
        cnf_labels_close(labels)
    }

    /// Whether labels have names here, where they were asked for.
    package var hasLabels: Bool { labels != nil }

    /// What is pumped from here on was received at `time`.
    func receive(at time: WallTime) {
        cnf_lines_at(handle, UInt64(max(0, time.nanoseconds)))
    }

    /// How many more events surely have room.
    package var room: Int { cnf_lines_room(handle) }

    /// How many bytes wait.
    package var waiting: Int {
        var size = 0
        _ = cnf_lines_text(handle, &size)
        return size
    }

    /// Lends what waits to `body`, which says how much of it was written.
    package func write<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Int) throws(Failure) {
        var size = 0
        let text = cnf_lines_text(handle, &size)
        let written = try body(UnsafeRawBufferPointer(start: text, count: size))
        cnf_lines_taken(handle, written)
    }

    /// Whether as many lines came as were asked for.
    package var isDone: Bool { cnf_lines_done(handle) != 0 }

    /// Events that had no line although they were decoded.
    package var unreadable: UInt64 {
        var counts = cnf_lines_counts()
        cnf_lines_count(handle, &counts)
        return counts.unreadable
    }
}
