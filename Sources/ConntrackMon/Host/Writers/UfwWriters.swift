// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// ufw, which writes /etc/ufw/sysctl.conf when it starts.
enum UfwWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
