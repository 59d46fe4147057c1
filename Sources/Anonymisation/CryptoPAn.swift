internal import Crypto
internal import CryptoExtras
import Foundation
public import NetworkTypes

/// Prefix-preserving pseudonyms of addresses (Crypto-PAn): two addresses that share exactly *n*
/// leading bits get pseudonyms that share exactly *n* leading bits.
///
/// Networks stay networks, so that a published data set can still be studied by prefix; who they are
/// is hidden. It is no protection against somebody who can send packets into the data and recognise
/// them (Brekne and Årnes 2005), which is why exports name the recipient.
///
/// Source: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization: Measurement-based
/// Security Evaluation and a New Cryptography-based Scheme", ICNP 2002. The results equal those of
/// the authors' reference program for IPv4, and of its usual extension to 128 bits for IPv6.
public struct CryptoPAn: Sendable {
  private let key: SymmetricKey
  /// The secret with which the bits behind a prefix are filled.
  private let pad: UInt128
  /// The 16 bits to flip in the upper half of an IPv4 address, by that half.
  private let upperFlips: [UInt16]

  /// Prepares the first 16 bits of all IPv4 addresses (65,535 AES blocks, some milliseconds).
  public init(key: AnonymisationKey) {
    self.key = SymmetricKey(data: key.bytes[..<16])
    var padBlock = Array(key.bytes[16...])
    Self.permute(&padBlock, self.key)
    let pad = padBlock.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    self.pad = pad
    // The bit after a prefix of n bits depends on these n bits alone: a tree of 2^16 - 1 nodes.
    var blocks: [UInt128] = []
    blocks.reserveCapacity(65_535)
    for length in 0..<16 {
      for prefix in 0..<(UInt128(1) << UInt128(length)) {
        blocks.append(Self.block(prefix << UInt128(128 - length), length, pad))
      }
    }
    let bits = Self.firstBits(of: blocks, self.key)
    upperFlips = (0..<65_536).map { half in
      var flips: UInt16 = 0
      for length in 0..<16 {
        let node = (1 << length) - 1 + half >> (16 - length)
        flips = flips << 1 | (bits[node] ? 1 : 0)
      }
      return flips
    }
  }

  /// The pseudonym of an address, of the same family.
  ///
  /// One call costs some 16 AES blocks for IPv4, 128 for IPv6; ``CachedCryptoPAn`` saves most of
  /// them where addresses repeat.
  public func anonymised(_ address: IPAddress) -> IPAddress {
    if let v4 = address.v4 {
      let flips = flips4(v4, bits: 16..<32)
      return IPAddress(v4: v4 ^ flips ^ UInt32(upperFlips[Int(v4 >> 16)]) << 16)
    }
    return pseudonym6(address.bits, flips6(address.bits, bits: 0..<128))
  }

  /// The pseudonym of a prefix: of its network bits only, so that it still holds the pseudonyms of
  /// its addresses.
  public func anonymised(_ prefix: IPPrefix) -> IPPrefix {
    // The length came from a prefix of the same family, so it fits.
    IPPrefix(anonymised(prefix.address), length: prefix.length) ?? IPPrefix(prefix.address)
  }

  func upper(_ v4: UInt32) -> UInt32 { UInt32(upperFlips[Int(v4 >> 16)]) << 16 }

  /// The flips at these places (0 is the first bit), other places 0.
  func flips4(_ v4: UInt32, bits: Range<Int>) -> UInt32 {
    let wide = UInt128(v4) << 96
    let found = Self.firstBits(of: bits.map { Self.block(wide, $0, pad) }, key)
    return zip(bits, found).reduce(0) { $1.1 ? $0 | 1 << UInt32(31 - $1.0) : $0 }
  }

  func flips6(_ address: UInt128, bits: Range<Int>) -> UInt128 {
    let found = Self.firstBits(of: bits.map { Self.block(address, $0, pad) }, key)
    return zip(bits, found).reduce(0) { $1.1 ? $0 | 1 << UInt128(127 - $1.0) : $0 }
  }

  /// The IPv6 pseudonym; one that would read as an IPv4-mapped address stays in IPv6.
  ///
  /// One IPv6 network in 2^96 would become `::ffff:0:0/96`, which here *is* IPv4. The source of that
  /// network, `::ffff:0:0/96`, is IPv4 too and takes the other path, so its pseudonym is free.
  func pseudonym6(_ address: UInt128, _ flips: UInt128) -> IPAddress {
    let result = IPAddress(bits: address ^ flips)
    guard result.isIPv4 else { return result }
    let mapped: UInt128 = 0xffff_0000_0000
    let free = mapped ^ flips6(mapped, bits: 0..<96)
    return IPAddress(bits: free & ~0xffff_ffff | result.bits & 0xffff_ffff)
  }

  /// The first `length` bits of the address, then the pad.
  private static func block(_ address: UInt128, _ length: Int, _ pad: UInt128) -> UInt128 {
    let mask: UInt128 = length == 0 ? 0 : ~0 << UInt128(128 - length)
    return address & mask | pad & ~mask
  }

  /// The first bit of AES(block) for each block.
  ///
  /// The library offers single blocks, each with a key schedule of its own, and modes. Decryption in
  /// CFB mode (NIST SP 800-38A §6.3) is `plain[i] = cipher[i] ^ AES(cipher[i - 1])` with the vector as
  /// `cipher[-1]`, so that one call computes AES for a whole list.
  private static func firstBits(of blocks: [UInt128], _ key: SymmetricKey) -> [Bool] {
    guard let first = blocks.first else { return [] }
    var cipher = [UInt8](repeating: 0, count: blocks.count * 16)
    for (index, block) in blocks.dropFirst().enumerated() { store(block, &cipher, index * 16) }
    var vector = [UInt8](repeating: 0, count: 16)
    store(first, &vector, 0)
    guard let iv = try? AES._CFB.IV(ivBytes: vector),
      let plain = try? AES._CFB.decrypt(cipher, using: key, iv: iv)
    else {
      // The vector has 16 bytes and the key 128 bits, the only conditions of the two calls.
      preconditionFailure("AES-128 takes any 16 bytes")
    }
    return blocks.indices.map { (plain[plain.startIndex + $0 * 16] ^ cipher[$0 * 16]) & 128 != 0 }
  }

  private static func store(_ block: UInt128, _ bytes: inout [UInt8], _ offset: Int) {
    for byte in 0..<16 {
      bytes[offset + byte] = UInt8(truncatingIfNeeded: block >> UInt128(120 - 8 * byte))
    }
  }

  private static func permute(_ block: inout [UInt8], _ key: SymmetricKey) {
    do {
      try AES.permute(&block, key: key)
    } catch {
      // The block has 16 bytes and the key 128 bits, the only conditions of the call.
      preconditionFailure("AES-128 takes any 16 bytes: \(error)")
    }
  }
}

/// Crypto-PAn for bulk work: remembers networks and addresses in bounded memory.
///
/// The memory is direct-mapped: a new network or address takes the place of an older one, so that a
/// flood of random sources costs time, never memory. One value per thread.
public struct CachedCryptoPAn: Sendable {
  private let mapper: CryptoPAn
  private var networks4: [UInt64]
  private var addresses4: [UInt64]
  private var networks6: [(network: UInt64, flips: UInt64, used: Bool)]
  private var addresses6: [(address: UInt128, pseudonym: UInt128)]

  public init(_ mapper: CryptoPAn) {
    self.mapper = mapper
    networks4 = Array(repeating: 0, count: AnonymisationParameters.cachedNetworks)
    addresses4 = Array(repeating: 0, count: AnonymisationParameters.cachedAddresses)
    networks6 = []
    addresses6 = []
  }

  /// The pseudonym of an address; the same as ``CryptoPAn/anonymised(_:)-(IPAddress)``.
  public mutating func anonymised(_ address: IPAddress) -> IPAddress {
    if let v4 = address.v4 { return IPAddress(v4: anonymised(v4: v4)) }
    return anonymised6(address.bits)
  }

  /// The pseudonym of an IPv4 address in host order.
  public mutating func anonymised(v4: UInt32) -> UInt32 {
    // An entry is the address and its pseudonym; the pseudonym of 0.0.0.0 alone is not kept.
    let place = Self.place(UInt64(v4), addresses4.count)
    let entry = addresses4[place]
    if entry >> 32 == UInt64(v4), v4 != 0 { return UInt32(truncatingIfNeeded: entry) }
    // An entry is the network plus one and the eight bits to flip.
    let network = UInt64(v4 >> 8)
    let networkPlace = Self.place(network, networks4.count)
    var flips = UInt32(networks4[networkPlace] & 255) << 8
    let known = networks4[networkPlace] >> 8 == network + 1
    if known {
      flips |= mapper.flips4(v4, bits: 24..<32)
    } else {
      flips = mapper.flips4(v4, bits: 16..<32)
      networks4[networkPlace] = (network + 1) << 8 | UInt64(flips >> 8 & 255)
    }
    let pseudonym = v4 ^ flips ^ mapper.upper(v4)
    addresses4[place] = UInt64(v4) << 32 | UInt64(pseudonym)
    return pseudonym
  }

  private mutating func anonymised6(_ address: UInt128) -> IPAddress {
    if networks6.isEmpty {
      // Only data with IPv6 pays for it.
      networks6 = Array(repeating: (0, 0, false), count: AnonymisationParameters.cachedNetworks / 4)
      addresses6 = Array(repeating: (0, 0), count: AnonymisationParameters.cachedAddresses / 4)
    }
    let place = Self.place(
      UInt64(truncatingIfNeeded: address ^ address >> 64), addresses6.count)
    if addresses6[place].address == address, address != 0 {
      return IPAddress(bits: addresses6[place].pseudonym)
    }
    let network = UInt64(truncatingIfNeeded: address >> 64)
    let networkPlace = Self.place(network, networks6.count)
    var flips: UInt128
    if networks6[networkPlace].used, networks6[networkPlace].network == network {
      flips = UInt128(networks6[networkPlace].flips) << 64
      flips |= mapper.flips6(address, bits: 64..<128)
    } else {
      flips = mapper.flips6(address, bits: 0..<128)
      networks6[networkPlace] = (network, UInt64(truncatingIfNeeded: flips >> 64), true)
    }
    let pseudonym = mapper.pseudonym6(address, flips)
    addresses6[place] = (address, pseudonym.bits)
    return pseudonym
  }

  /// Fibonacci hashing (Knuth, The Art of Computer Programming 3, §6.4); `count` is a power of two.
  private static func place(_ number: UInt64, _ count: Int) -> Int {
    Int(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 40) & (count - 1)
  }
}
