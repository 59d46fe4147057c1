import SwiftASN1

/// Dss-Parms (RFC 3279 2.3.2).
struct DSAParameters: Hashable, Sendable {
  let p: [UInt8]
  let q: [UInt8]
  let g: [UInt8]

  /// nil where the parameters are absent, to be inherited from the issuer.
  init?(_ encoded: [UInt8]?) throws(MalformedStructure) {
    guard let encoded, encoded != AlgorithmIdentifier.null else { return nil }
    var reader = try ElementReader(der: encoded[...], as: "Dss-Parms")
    p = try reader.integer("p")
    q = try reader.integer("q")
    g = try reader.integer("g")
    try reader.end()
  }
}

/// A DSA key, for verification only (FIPS 186-4 4.7): certificates from before 2013 carry them.
struct DSAPublicKey: Sendable {
  private let p: MontgomeryModulus
  private let q: MontgomeryModulus
  private let g: [UInt64]
  private let y: [UInt64]
  let parameters: DSAParameters

  init(_ keyOctets: [UInt8], _ parameters: DSAParameters) throws {
    let node = try ASN1Node.parse(der: keyOctets[...], as: "DSAPublicKey")
    // FIPS 186-4 4.2 ends at these sizes.
    guard let p = MontgomeryModulus(parameters.p, maximumBits: 3072),
      let q = MontgomeryModulus(parameters.q, maximumBits: 256)
    else { throw KeyError.malformedKey("DSA parameters out of range") }
    self.p = p
    self.q = q
    g = MontgomeryModulus.limbs(parameters.g)
    y = MontgomeryModulus.limbs(try node.integer("DSAPublicKey", "y"))
    self.parameters = parameters
    guard MontgomeryModulus.isLess(g, p.limbs), MontgomeryModulus.isLess(y, p.limbs),
      MontgomeryModulus.bitCount(y) > 1, MontgomeryModulus.bitCount(g) > 1
    else { throw KeyError.malformedKey("a DSA key out of range") }
  }

  var bitCount: Int { MontgomeryModulus.bitCount(p.limbs) }

  func isValid(_ signature: [UInt8], digest: [UInt8]) -> Bool {
    guard var reader = try? ElementReader(der: signature[...], as: "Dss-Sig-Value"),
      let rBytes = try? reader.integer("r"), let sBytes = try? reader.integer("s"), reader.isAtEnd,
      rBytes[0] & 0x80 == 0, sBytes[0] & 0x80 == 0
    else { return false }
    let r = MontgomeryModulus.limbs(rBytes)
    let s = MontgomeryModulus.limbs(sBytes)
    guard !r.isEmpty, !s.isEmpty, MontgomeryModulus.isLess(r, q.limbs),
      MontgomeryModulus.isLess(s, q.limbs)
    else { return false }
    // q is prime, so s^(q-2) is the inverse of s.
    var exponent = q.limbs
    var borrow: UInt64 = 2
    for index in exponent.indices {
      let (value, overflow) = exponent[index].subtractingReportingOverflow(borrow)
      exponent[index] = value
      borrow = overflow ? 1 : 0
    }
    while exponent.last == 0 { exponent.removeLast() }
    let w = q.power(s, exponent)
    let size = (MontgomeryModulus.bitCount(q.limbs) + 7) / 8
    let z = MontgomeryModulus.limbs(digest.prefix(size))
    let v = q.reduce(
      p.multiply(p.power(g, q.multiply(z, w)), p.power(y, q.multiply(r, w))))
    return !MontgomeryModulus.isLess(v, r) && !MontgomeryModulus.isLess(r, v)
  }
}
