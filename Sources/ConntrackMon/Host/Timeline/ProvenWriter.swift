// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Writer {
    /// What is live proves what a program does of which only the version would tell: where the limit is just its value, and
    /// lower than what the kernel begins with, nobody but it has lowered it.
    func proven(by live: [String: UInt64], _ era: KernelEra) -> Writer {
        guard cure != nil, certainty == .certain, let limit = live["nf_conntrack_max"],
            let least = era.fresh("nf_conntrack_max").least, isLess(limit, least)
        else { return self }
        var writer = self
        writer.acts = acts.map { act in
            guard case .write(var write) = act, write.key == "nf_conntrack_max", write.change == .set(limit) else {
                return act
            }
            write.certainty = .certain
            return .write(write)
        }
        return writer
    }
}
