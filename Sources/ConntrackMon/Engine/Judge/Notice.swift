// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Something a watch has to say that has no end.
struct Notice: Equatable {
    var name: NoticeName
    var explanation: Explanation
    var incident: String?
    var values: [String: Double] = [:]

    init(
        _ name: NoticeName, _ explanation: Explanation, incident: String? = nil, values: [String: Double] = [:]
    ) {
        self.name = name
        self.explanation = explanation
        self.incident = incident
        self.values = values
    }

    func announcement(at moment: Moment) -> Announcement {
        Announcement(
            time: moment.wall, name: name.rawValue, state: .notice, incident: incident, explanation: explanation,
            values: values)
    }
}
