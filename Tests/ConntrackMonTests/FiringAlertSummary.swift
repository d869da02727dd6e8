// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

extension FiringAlert {
    /// An alert whose text is one sentence.
    init(name: AlertName, subject: String? = nil, level: Level, since: Moment, summary: String) {
        self.init(name: name, subject: subject, level: level, since: since, explanation: Explanation(summary))
    }
}
