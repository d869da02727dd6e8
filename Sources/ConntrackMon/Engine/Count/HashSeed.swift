// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Seven random numbers that make a hash nobody outside can foresee.
///
/// Pair-multiply-shift (Thorup, "High speed hashing for integers and strings", 2015): two given keys collide with a
/// probability of 2^-32 whatever they are, so that addresses cannot be chosen to collide. The three multiplications do not wait for
/// each other. Were the seed known, a look-up would walk `capacity` cells at worst, and the counts would still hold.
package struct HashSeed: Sendable {
    private let a, b, c, d, e, f, g: UInt64

    /// Random numbers are the caller's to make: whoever fills the table must not foresee them.
    package init(from random: inout some RandomNumberGenerator) {
        a = random.next()
        b = random.next()
        c = random.next()
        d = random.next()
        e = random.next()
        f = random.next()
        g = random.next()
    }

    @inline(__always)
    func hash(_ key: HeavyHitters.Key) -> UInt32 {
        let first = (a &+ key.words.high >> 32) &* (b &+ key.words.high & 0xffff_ffff)
        let second = (c &+ key.words.low >> 32) &* (d &+ key.words.low & 0xffff_ffff)
        let third = e &* (f &+ UInt64(key.tag))
        return UInt32(truncatingIfNeeded: (first &+ second &+ third &+ g) >> 32)
    }

    /// Of two words, 64 bits that all depend on all of them: for several places of one key.
    @inline(__always)
    func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let one = (first &+ a).multipliedFullWidth(by: b | 1)
        let two = (second &+ c).multipliedFullWidth(by: d | 1)
        let sum = (one.high ^ one.low) &+ (two.high ^ two.low)
        let both = (sum &+ e).multipliedFullWidth(by: f | 1)
        return both.high ^ both.low
    }
}
