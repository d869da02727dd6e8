// SPDX-License-Identifier: GPL-3.0-or-later

extension Survey {
    /// The answer to `want`, if it wants a survey: one dump of this network namespace's table, read to its end.
    static func read(_ want: Want, paths: HostPaths) -> Reading? {
        guard case .survey(let establishedTimeout) = want else { return nil }
        let began = Moment.now().monotonic
        let result: Result<Survey, SystemError>
        do throws(SystemError) {
            // The module may have gone since the engine asked.
            guard ConntrackModule.mayListen(sysfs: paths.sysfs) else {
                throw SystemError("dump", "the conntrack table", 2)
            }
            result = .success(try ofTable(establishedTimeout: establishedTimeout))
        } catch {
            result = .failure(error)
        }
        return .survey(result, took: Moment.now().monotonic - began)
    }

    static func ofTable(establishedTimeout: UInt64?) throws(SystemError) -> Survey {
        var random = SystemRandomNumberGenerator()
        var counter = SurveyCounter(establishedTimeout: establishedTimeout, seed: HashSeed(from: &random))
        let began = Moment.now().monotonic
        var dump = try TableDump()
        while try dump.next({ counter.take($0) }) {}
        let now = Moment.now()
        return counter.survey(at: now, took: now.monotonic - began, isInterrupted: dump.isInterrupted)
    }
}
