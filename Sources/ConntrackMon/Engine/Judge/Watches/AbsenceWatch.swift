// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A module that was never seen: a notice, or the alert module_absent, as --absent has it.
struct AbsenceWatch: Sendable {
    private let meaning: AbsentMeaning?
    private var neverSeen = false

    init(settings: RuleSettings) {
        meaning = settings.absent
    }

    mutating func observe(_ look: TableLook, _ change: ModuleWatch.Change) -> Notice? {
        neverSeen = change == .absent || (neverSeen && look.absent)
        guard change == .absent, meaning == nil else { return nil }
        return Notice(
            .moduleAbsent,
            Explanation(
                "nf_conntrack is not loaded: nothing is tracked and nothing can fill up", why: ["watching for it"]))
    }

    /// The verdict of module_absent; nil where --absent does not ask for it.
    var verdict: Verdict? {
        guard meaning == .warning || meaning == .critical else { return nil }
        return Verdict(
            meaning == .critical ? .critical : .warning, if: neverSeen,
            Explanation(
                "nf_conntrack is not loaded: nothing is tracked",
                fix: .init("modprobe nf_conntrack, or start the firewall")),
            calm: "nf_conntrack is loaded")
    }
}
