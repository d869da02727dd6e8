// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackPublish

extension Sinks.Plan {
    /// What `watch` was told to write, and where.
    init(_ settings: Settings, identity: Identity) {
        self.init(identity: identity)
        format = settings.format
        if settings.formatChoice == .live {
            var view = Live()
            view.capabilities = Probe.terminalCapabilities
            view.keepsAnnouncements = Probe.isSameTerminal(1, 2)
            live = view
        }
        alertFormat = settings.alertFormat
        journal = settings.journal
        hook = settings.hook
        textfile = settings.textfile
        if let folder = settings.runDirectory {
            let path = folder + "/status.json"
            if settings.isRunDirectoryGiven { status = path } else { writeStatusIfUnowned(at: path) }
        }
        state = settings.state
        incidents = settings.incidentFolder
        incidentsKept = settings.incidentsKept
    }
}
