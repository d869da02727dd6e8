// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A namespace that lost its name is not what people mean by it any more, though it lives on for as long as it is watched.
struct NamespaceWatch: Sendable {
    /// While a name is made it leads to nothing, or to a file that is no namespace yet.
    private static let longestDoubt = Duration.milliseconds(500)

    private let name: String
    private var missedSince: MonotonicTime?

    /// `name`: as it was given, a name or a path.
    init(name: String) {
        self.name = name
    }

    /// Why watching is to end; nil = it goes on. `standing`: nil when that is not known.
    mutating func observe(_ standing: NamespaceStanding?, at time: MonotonicTime) -> String? {
        guard let standing, standing != .there else {
            missedSince = nil
            return nil
        }
        guard let since = missedSince else {
            missedSince = time
            return nil
        }
        return time - since >= NamespaceWatch.longestDoubt ? text(standing) : nil
    }

    private func text(_ standing: NamespaceStanding) -> String {
        let isMadeAnew = standing == .replaced
        guard name.contains("/") else {
            let anew = isMadeAnew ? " and made anew: start again to watch the new one" : ""
            return "network namespace \(name) was deleted\(anew)"
        }
        return isMadeAnew
            ? "\(name) leads to another network namespace now: start again to watch that one"
            : "\(name) is gone, and so is what it named: the network namespace that was watched"
    }
}
