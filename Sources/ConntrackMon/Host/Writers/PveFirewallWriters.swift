// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Proxmox's pve-firewall.
enum PveFirewallWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
