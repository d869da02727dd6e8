// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension ModuleWatch {
    /// The verdict of module_unloaded.
    func unloadedVerdict(now: MonotonicTime) -> Verdict {
        guard let absentSince else {
            let absence = lastAbsence.map { ", it was gone for \(readable(seconds: $0.inSeconds))" } ?? ""
            return .clear("nf_conntrack is loaded again\(absence)")
        }
        let gone = "gone for \(readable(seconds: (now - absentSince).inSeconds))"
        return Verdict(
            .critical, if: true,
            Explanation(
                "nf_conntrack has been \(wasUnloaded ? "gone since before this start" : gone): nothing is tracked,"
                    + " and rules that need it match nothing",
                fix: .init("start the firewall again, then check net.netfilter.nf_conntrack_max")),
            calm: "")
    }
}
