// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension FiringAlert {
    /// An alert whose text is one sentence.
    package init(name: AlertName, subject: String? = nil, level: Level, since: Moment, summary: String) {
        self.init(name: name, subject: subject, level: level, since: since, explanation: Explanation(summary))
    }
}
