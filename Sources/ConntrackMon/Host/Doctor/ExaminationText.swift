// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Text that was written for nothing: lines and files that take no effect, and a configuration that is not there.
extension Examination {
    mutating func findMissingConfiguration() {
        guard !facts.hasConfiguration else { return }
        add(
            "no_configuration", .warning,
            "no configuration was there to read: what a firewall restart or a reboot leaves is not known",
            cure: "--root with the folder that holds the host's etc")
    }
}
