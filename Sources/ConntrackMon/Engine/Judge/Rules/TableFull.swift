// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let tableFull = Rule(.tableFull, hold: .zero) { sample, context in
        guard let limit = sample.table.limit, let entries = sample.entriesPeakSecond ?? sample.table.entries else {
            return nil
        }
        let usage = limit > 0 ? Double(max(entries, sample.table.entries ?? 0)) / Double(limit) : 0
        let dropped = sample.statsNow?[.drop] ?? 0
        // A clash in the hash counts as drop too; only what is beyond that is the table's doing.
        let refused = dropped - min(dropped, sample.statsNow?[.insertFailed] ?? 0)
        let logged = sample.tableFullLines.ours > 0 || (sample.tableFullLines.unnamed > 0 && usage >= 0.95)
        let proof =
            logged
            ? "the kernel log says \"table full, dropping packet\""
            : "the kernel dropped \(refused) packets in \(readable(seconds: (sample.statsSpan ?? sample.elapsed).inSeconds))"
        let isCrossed = logged || (usage >= 0.95 && refused > 0)
        let what =
            isCrossed
            ? "new connections are refused, \(proof)"
            : "new connections take the place of live entries, and are refused where none can be evicted"
        var explanation = Explanation(
            "\(entries) of \(limit) entries (\(percent(usage))): \(what)",
            why: evicted(sample).map { [$0] } ?? [], next: top(for: sample), fix: Cure.raise(sample, context))
        explanation.add(surveyOf: sample)
        // As long as the kernel evicts for each new entry, whether one is refused is luck: it is full all the same.
        let isFull = isCrossed || (usage >= 0.95 && sample.statsHalfMinute?[.earlyDrop] ?? 0 > 0)
        var verdict = Verdict(
            crossed: isCrossed ? .critical : nil, holding: isFull ? .critical : nil, explanation,
            calm: "nothing dropped for a minute; \(entries) of \(limit) entries (\(percent(usage)))",
            values: ["entries": Double(entries), "limit": Double(limit), "dropped": Double(refused)])
        verdict.now = "\(entries) of \(limit) entries (\(percent(usage)))"
        return verdict
    }
}
