// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// `text` with every IP address in it made unreadable, for pictures that others may see; ports and prefix lengths stay.
func hidingAddresses(_ text: String) -> String {
    var result = ""
    var run = ""
    for character in text {
        if character == ":" || character == "." || (character.isASCII && character.isHexDigit) {
            run.append(character)
        } else {
            if !run.isEmpty { result += hidden(run) }
            run = ""
            result.append(character)
        }
    }
    return result + hidden(run)
}

/// What may be an address, a port or a full stop behind it.
private func hidden(_ run: String) -> String {
    guard run.utf8.count > 1, run.contains(where: { $0 == "." || $0 == ":" }) else { return run }
    if let address = Address(run) { return word(address) }
    // "192.0.2.1:443", "192.0.2.1:", "2001:db8::1.".
    guard let cut = run.lastIndex(where: { $0 == ":" || $0 == "." }), cut > run.startIndex,
        let address = Address(String(run[..<cut]))
    else { return run }
    return word(address) + run[cut...]
}

private func word(_ address: Address) -> String {
    address.family == .ipv4 ? "x.x.x.x" : "x::x"
}
