// SPDX-License-Identifier: GPL-3.0-or-later

/// The program's version (semver: commands, flags, metric and alert names, line formats, exit codes).
public let conntrackMonVersion = "0.1.0"
