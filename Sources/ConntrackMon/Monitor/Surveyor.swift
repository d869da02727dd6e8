// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackSystem

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
            result = .success(try ofTable(procfs: paths.procfs, establishedTimeout: establishedTimeout))
        } catch {
            result = .failure(error)
        }
        return .survey(result, took: Moment.now().monotonic - began)
    }

    /// One dump of this network namespace's table, read to its end. `procfs` tells whether the hash is resized meanwhile;
    /// `establishedTimeout`: nf_conntrack_tcp_timeout_established in seconds, nil = not known.
    static func ofTable(procfs: String, establishedTimeout: UInt64?) throws(SystemError) -> Survey {
        var counter = SurveyCounter(establishedTimeout: establishedTimeout, seed: .random())
        let began = Moment.now().monotonic
        let dump = try TableDump.read(procfs: procfs) { counter.take($0) }
        let now = Moment.now()
        return counter.survey(at: now, took: now.monotonic - began, isInterrupted: dump.isInterrupted)
    }
}
