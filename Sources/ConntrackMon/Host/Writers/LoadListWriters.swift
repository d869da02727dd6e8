// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// IPTABLES_SYSCTL_LOAD_LIST of the iptables service.
enum LoadListWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
