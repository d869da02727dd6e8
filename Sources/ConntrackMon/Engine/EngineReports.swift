// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What the engine makes of an interval's end, and of what was said between two.

extension Engine {
    /// Closes the interval, writes the files, or ends, once the readings for it are there.
    mutating func closeIfKnown(at now: MonotonicTime) {
        guard let since = (due.stop ?? due.tick ?? due.files)?.monotonic else { return }
        // All of them are wanted at once.
        let hasKernel = agenda.has(.kernel(TableFaults(newestLook)), for: since)
        let hasHealth = agenda.has(.health, for: since)
        let hasLog = due.stop != nil || due.tick == nil || agenda.has(.log, for: since)
        let needsSettings = due.stop != nil || (due.tick != nil && due.needsSettings)
        let hasSettings = !needsSettings || agenda.has(.settings, for: since)
        guard hasKernel, hasHealth, hasLog, hasSettings else { return }
        if due.stop == nil, due.tick != nil, awaitsLook(at: now) { return }
        let (tick, stop, hasNews) = (due.tick, due.stop, due.files != nil)
        due.tick = nil
        due.lookSince = nil
        due.files = nil
        if stop != nil {
            due.stop = nil
            finish()
        } else if tick != nil {
            closeInterval(hasNews: hasNews)
        } else {
            writeFiles()
        }
    }

    /// Whether the look that ends a pause is about to come: the interval closes with it, so that all that came meanwhile is
    /// counted where it belongs. Waits once; whoever makes looks may hang for good.
    private mutating func awaitsLook(at now: MonotonicTime) -> Bool {
        guard collector.isLookLate(at: kernelAt.monotonic), latest?.age == nil else { return false }
        let since = due.lookSince ?? now
        due.lookSince = since
        return now - since < Due.longestForLook
    }

    /// - Parameter hasNews: Something was said since the files were written last, which they tell of at once.
    private mutating func closeInterval(hasNews: Bool) {
        let isFirst = latest == nil
        guard let sample = collector.close(surroundings) else { return }
        // Not judged without a look, so it is kept for the next one.
        if sample.age == nil || sample.gap != nil { tableFull = TableFullCount() }
        latest = sample
        let announcements = judge.judge(sample)
        surveys.portsNeed = portsNeed(sample)
        survey(after: announcements, now: sample.moment.monotonic)

        let isMetricsTime = sample.moment.monotonic >= metricsDue
        if isMetricsTime { metricsDue = sample.moment.monotonic + plan.textfileInterval }
        let isChange = hasNews || announcements.contains { $0.state != .repeating && $0.state != .log }
        let report = report(sample)
        incidents?.take(sample)
        if !announcements.isEmpty { publish(announcements, at: sample.moment.monotonic) }
        if !isFirst {
            intervals += 1
            outputs.append(.show(report))
        }
        if due.show { outputs.append(.status(report)) }
        due.show = false
        outputs.append(.write(report, metrics: isMetricsTime || isChange))
        if isMetricsTime || isChange { keep(sample) }
        freeze(report)
        if let count = plan.count, intervals >= count { ending = ending ?? Ending("--count is reached") }
    }

    /// Something was said between two intervals: the files tell of it at once, all of one moment.
    private mutating func writeFiles() {
        guard let latest, let sample = collector.preview(surroundings, after: latest) else { return }
        let report = report(sample)
        outputs.append(.write(report, metrics: true))
        keep(sample)
        freeze(report)
    }

    /// Writes what led to an alert when its time has come; at the end at once.
    private mutating func freeze(_ report: Report) {
        guard let dueAt = incidents?.dueAt, dueAt <= agenda.newest || !report.isUp else { return }
        if let incident = incidents?.freeze(report) { outputs.append(.incident(incident)) }
    }

    /// Counts what was still under way, and leaves files that say that the monitor has stopped.
    private mutating func finish() {
        guard let sample = collector.close(surroundings) else { return }
        keep(sample)
        var last = report(sample)
        last.isUp = false
        outputs.append(.write(last, metrics: true))
        freeze(last)
    }

    /// Has the table looked into when an alert about its usage has begun to fire.
    mutating func survey(after announcements: [Announcement], now: MonotonicTime) {
        surveys.follow(announcements, firing: judge.firing)
        let mayDump = plan.hasDumps && kernel.isNetlinkThere
        guard surveys.begin(at: now, moduleChanged: judge.moduleBackAt, mayDump: mayDump) else { return }
        collector.natPorts.beginDump()
        let timeout = parameters.first { $0.name == "nf_conntrack_tcp_timeout_established" }?.value
        agenda.add(.survey(establishedTimeout: timeout))
    }

    /// What NAT's ports need a dump for, where NAT was seen.
    private func portsNeed(_ sample: Sample) -> SurveyPolicy.PortsNeed? {
        guard plan.rules.natPorts > 0, collector.natPorts.isSeen else { return nil }
        let levels = NATPortLevels(plan.rules)
        if let ports = sample.natPorts, ports.uses.contains(where: { levels.isSuspect($0, unlisted: ports.unlisted) }) {
            return .confirmation
        }
        // What fires must be able to end. By events alone it may not: entries that were made while nobody listened never
        // tell of their end where nf_conntrack_events is 2 (kernel 5.19).
        let isUntold = parameters.first { $0.name == "nf_conntrack_events" }?.value != 1
        let isFiring = judge.firing.contains { $0.name == .natPortsLow }
        let needsAgain = isUntold && collector.natPorts.wasSetBefore(sample.moment.monotonic)
        return collector.natPorts.needsDump || (isFiring && (isUntold || sample.natPorts == nil)) || needsAgain
            ? .anew : nil
    }

    private mutating func keep(_ sample: Sample) {
        guard let kept = judge.keep else { return }
        outputs.append(
            .keep(
                Kept(
                    limit: kept.limit, parameters: kept.parameters, moment: sample.moment,
                    peakDay: sample.entriesPeakDay, peakKnownFor: sample.peakKnownFor,
                    firing: judge.keptAlerts)))
    }

    private var surroundings: Collector.Surroundings {
        var around = Collector.Surroundings(moment: kernelAt)
        around.buckets = kernel.buckets
        around.statsObstacle = kernel.statisticsObstacle
        around.tableFullLines = tableFull
        around.listening = news.method != nil
        around.groups = plan.groups
        if around.listening { around.isNetlinkThere = kernel.isNetlinkThere }
        around.ringCapacity = health.ringCapacity
        around.ringPeak = health.ringPeak
        around.cpuSeconds = health.cpuSeconds
        around.survey = surveys.survey(at: kernelAt.monotonic)
        around.traffic = kernel.traffic
        around.degraded = kernel.degraded + [news.degradation].compactMap { $0 } + health.degraded
        return around
    }

    private func whyNoEvents(_ sample: Sample) -> String? {
        if let why = sample.duty?.hindrance {
            return "the event groups are left (--event-budget) and not joined again: \(why.words)"
        }
        if sample.isNetlinkThere == false { return EventHindrance.netlinkAbsent.words }
        return sample.silence?.words ?? news.ended ?? news.unavailable
    }

    /// `sample` and all that was judged so far.
    func report(_ sample: Sample) -> Report {
        var report = Report(identity: plan.identity, sample: sample)
        report.firing = judge.firing
        report.reloads = judge.reloads
        report.drops = judge.drops
        report.baseline = judge.baseline
        report.module = kernel.module
        report.parameters = parameters
        report.doctor = doctor
        report.source = news.method?.source ?? "none"
        report.eventsReason = whyNoEvents(sample)
        report.sinkLost = health.sinkLost
        report.interval = plan.interval
        report.perCPU = plan.perCPU
        report.netnsLabel = plan.netnsLabel
        report.procfs = plan.procfs
        report.netnsInode = plan.netnsInode
        report.bootId = plan.bootId
        report.thresholds = (plan.rules.warn, plan.rules.crit)
        return report
    }
}
