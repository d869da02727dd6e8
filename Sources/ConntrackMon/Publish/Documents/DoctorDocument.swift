// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

extension DoctorReport {
    /// One line of JSON, without a line feed.
    public func json() -> String { encodeJSON(self) }
}
