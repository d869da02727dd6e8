// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel

/// The two ends of --state: what the last run left is read once at the start, what this one knows is put into words for
/// the file writer.
struct StateKeeper {
    /// What the state file gave.
    enum Found {
        case nothing
        case state(Restored)
        /// Why it is of no use, and what became of it. `isKept`: it may be good, so it is not written to.
        case unusable(String, isKept: Bool)
    }

    let path: String
    let paths: HostPaths

    /// nil without --state.
    init?(_ settings: Settings, _ paths: HostPaths) {
        guard let path = settings.state else { return nil }
        self.path = path
        self.paths = paths
    }

    func load(now: WallTime) -> Found {
        let boot = BootIdentity.now(paths)
        do throws(SystemError) {
            switch try StateFile.load(path) {
            case .none:
                return .nothing
            case .setAside(let aside, let why):
                return .unusable("--state \(path) \(why): set aside as \(aside), starting anew", isKept: false)
            case .state(let state) where state.netnsInode != NetworkNamespace.current() && state.bootId == boot.bootId:
                return .unusable("--state \(path) is about another network namespace: starting anew", isKept: false)
            case .state(let state):
                let knownFor = Duration.seconds(min(max(0, state.peakKnownForSeconds), 1e9))
                return .state(
                    Restored(
                        limit: LimitWatch.Past(state, boot: boot, now: now), parameters: ParameterWatch.Kept(state),
                        peakDay: state.peakDay, peakKnownFor: knownFor,
                        firing: (state.firing ?? []).compactMap { KeptAlert($0) }))
            }
        } catch {
            return .unusable("--state: \(error); nothing is kept in this run", isKept: true)
        }
    }

    /// What is to be kept, as the file has it.
    func document(_ kept: Kept) -> StateDocument {
        let boot = BootIdentity.now(paths)
        return StateDocument(
            timestamp: kept.moment.wall.seconds, bootId: boot.bootId, moduleInode: boot.moduleInode,
            netnsInode: NetworkNamespace.current(), accepted: kept.limit.accepted,
            fall: kept.limit.fall.map(StateDocument.Fall.init), parameters: kept.parameters.accepted,
            reverted: kept.parameters.reverted, waived: kept.limit.waived, peakDay: kept.peakDay,
            peakKnownForSeconds: kept.peakKnownFor.inSeconds,
            firing: kept.firing.isEmpty ? nil : kept.firing.map { StateDocument.Alert($0) })
    }
}

extension StateDocument.Fall {
    init(_ fall: LimitWatch.Fall) {
        self.init(
            from: fall.from, to: fall.to, cause: fall.cause.rawValue, story: fall.story, isReload: fall.isReload)
    }
}
