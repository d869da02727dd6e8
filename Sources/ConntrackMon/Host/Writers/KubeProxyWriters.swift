// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// kube-proxy, and what embeds it.
enum KubeProxyWriters {
    static func all(_ sources: WriterSources) -> [Writer] { [] }
}
