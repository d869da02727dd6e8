// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Jobs of cron.
enum CronWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        let isDebian = tree.exists("/etc/debian_version")
        let folder = (tree.names(in: "/etc/cron.d") ?? []).filter { name in
            isDebian
                ? isPlain(name)
                : !name.hasPrefix(".") && ![".rpmsave", ".rpmorig", ".rpmnew", "~"].contains(where: name.hasSuffix)
        }
        let system = (["/etc/crontab"] + folder.map { "/etc/cron.d/" + $0 }).flatMap {
            jobs(in: $0, hasUser: true, sources)
        }
        let own = ["/var/spool/cron/crontabs/root", "/var/spool/cron/root", "/var/spool/cron/tabs/root"]
        // Alpine's and OpenWrt's; often the same file.
        let spool = own.contains(where: tree.exists) ? own : ["/etc/crontabs/root"]
        return system + spool.flatMap { jobs(in: $0, hasUser: false, sources) } + folders(sources)
    }

    /// A name that run-parts and Debian's cron take.
    static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2d || $0 == 0x5f
        }
    }

    /// cron.hourly and its like. What is run once a day may be late for whoever asks.
    private static func folders(_ sources: WriterSources) -> [Writer] {
        let folders: [(String, Certainty)] = [
            ("/etc/cron.hourly", .certain), ("/etc/cron.daily", .may), ("/etc/periodic/15min", .certain),
            ("/etc/periodic/hourly", .certain), ("/etc/periodic/daily", .may),
        ]
        return folders.flatMap { folder, certainty in
            (sources.tree.names(in: folder) ?? []).filter(isPlain).prefix(64).compactMap { name in
                let path = folder + "/" + name
                guard let executable = ScriptWriters.certainty(ofExecutable: path, sources) else { return nil }
                return ScriptWriters.writer(path, .always, certainty: min(certainty, executable), sources: sources)
            }
        }
    }

    private static func jobs(in file: String, hasUser: Bool, _ sources: WriterSources) -> [Writer] {
        guard let text = sources.tree.text(file), text.utf8.count <= 256 << 10 else { return [] }
        return ModuleConfiguration.lines(of: text).prefix(500).compactMap { number, line in
            guard let job = Job(line, hasUser: hasUser) else { return nil }
            let evidence = Evidence(file: file, line: number, text: line)
            let acts = ShellText.acts(ofCommand: job.command, at: evidence, sources: sources)
            return ScriptWriters.writer("a job of cron", job.moment, acts, evidence, job.certainty, in: [file])
        }
    }

    /// A line of a crontab that root runs.
    struct Job: Equatable {
        var moment: Writer.Moment
        var certainty = Certainty.certain
        var command: String

        init?(_ line: String, hasUser: Bool) {
            var rest = line[...]
            func next() -> Substring {
                rest = rest.drop { $0 == " " }
                let word = rest.prefix { $0 != " " }
                rest = rest.dropFirst(word.count)
                return word
            }
            let first = next()
            if first.hasPrefix("@") {
                moment = first == "@reboot" ? .late : .always
                if first != "@reboot" && first != "@hourly" { certainty = .may }
            } else {
                guard first.allSatisfy({ $0.isNumber || "*/,-~".contains($0) }) else { return nil }
                moment = .always
                let (hour, day, month, weekday) = (next(), next(), next(), next())
                let isHourly = hour == "*" || hour == "*/1"
                if !isHourly || [day, month, weekday].contains(where: { $0 != "*" }) { certainty = .may }
            }
            if hasUser, next() != "root" { return nil }
            // An unquoted percent sign ends the command.
            var text = ""
            var isQuoted = false
            for character in rest.drop(while: { $0 == " " }) {
                if character == "%", !isQuoted { break }
                if character == "%" { text.removeLast() }
                text.append(character)
                isQuoted = character == "\\"
            }
            guard !text.isEmpty else { return nil }
            command = text
        }
    }
}
