// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension KernelRelease {
    /// The kernel of a host, or of a saved one.
    package static func ofHost(_ paths: HostPaths) -> KernelRelease? {
        let (tree, proc) = (FileTree(root: paths.root), FileTree(root: paths.procfs))
        for file in ["/sys/kernel/osrelease", "/version"] {
            guard let release = proc.text(file).flatMap({ KernelRelease($0) }) else { continue }
            return release.refined(signature: proc.text("/version_signature"), version: proc.text("/version"))
        }
        // `uname -a` of a sosreport: "Linux HOST RELEASE ...", with what /proc/version ends with.
        guard !tree.root.isEmpty, let text = tree.text("/sos_commands/kernel/uname_-a") else { return nil }
        return KernelRelease(text.split(separator: " ").dropFirst(2).joined(separator: " "))?
            .refined(signature: nil, version: text)
    }
}
