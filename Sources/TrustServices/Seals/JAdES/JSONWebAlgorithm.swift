import SwiftASN1

/// The algorithms of JWS (RFC 7518 3, RFC 8037) in the terms used here.
enum JSONWebAlgorithm {
  static func name(of algorithm: SignatureAlgorithm, key: PublicKey.Kind) -> String? {
    switch (algorithm, key) {
    case (.rsaPKCS1(.sha256), _): "RS256"
    case (.rsaPKCS1(.sha384), _): "RS384"
    case (.rsaPKCS1(.sha512), _): "RS512"
    case (.rsaPSS(.sha256, .sha256, 32), _): "PS256"
    case (.rsaPSS(.sha384, .sha384, 48), _): "PS384"
    case (.rsaPSS(.sha512, .sha512, 64), _): "PS512"
    case (.ecdsa(.sha256), .p256): "ES256"
    case (.ecdsa(.sha384), .p384): "ES384"
    case (.ecdsa(.sha512), .p521): "ES512"
    case (.ed25519, _): "EdDSA"
    default: nil
    }
  }

  static func algorithm(_ name: String) -> SignatureAlgorithm? {
    switch name {
    case "RS256": .rsaPKCS1(.sha256)
    case "RS384": .rsaPKCS1(.sha384)
    case "RS512": .rsaPKCS1(.sha512)
    case "PS256": .rsaPSS(.sha256)
    case "PS384": .rsaPSS(.sha384)
    case "PS512": .rsaPSS(.sha512)
    case "ES256": .ecdsa(.sha256)
    case "ES384": .ecdsa(.sha384)
    case "ES512": .ecdsa(.sha512)
    // RFC 9864 names the curve.
    case "EdDSA", "Ed25519": .ed25519
    default: nil
    }
  }

  /// The octets of r and of s, by the curve that goes with the hash; nil for other algorithms.
  private static func width(_ algorithm: SignatureAlgorithm) -> Int? {
    switch algorithm {
    case .ecdsa(.sha256): 32
    case .ecdsa(.sha384): 48
    case .ecdsa(.sha512): 66
    default: nil
    }
  }

  /// r and s side by side (RFC 7518 3.4) as the DER that keys verify; nil for another length.
  static func derSignature(_ raw: [UInt8], _ algorithm: SignatureAlgorithm) -> [UInt8]? {
    guard let width = width(algorithm) else { return raw }
    guard raw.count == width * 2 else { return nil }
    return der { coder in
      coder.sequence {
        $0.integer(octets: [0] + raw[..<width])
        $0.integer(octets: [0] + raw[width...])
      }
    }
  }

  /// The reverse, of what a key made.
  static func rawSignature(_ signature: [UInt8], _ algorithm: SignatureAlgorithm) throws -> [UInt8]
  {
    guard let width = width(algorithm) else { return signature }
    let name = "ECDSA-Sig-Value"
    var reader = try ElementReader(der: signature[...], as: name)
    var raw: [UInt8] = []
    for field in ["r", "s"] {
      let number = try reader.integer(field).drop { $0 == 0 }
      guard number.count <= width else {
        throw reader.wrong(field, "longer than the curve's order")
      }
      raw += [UInt8](repeating: 0, count: width - number.count) + number
    }
    return raw
  }

  /// digAlg, hashM: the hashes of TS 119 182-1, by JWA-like names and by those of RFC 6931.
  static func hash(_ name: String) -> HashAlgorithm? {
    switch name {
    case "S256", "sha-256", "http://www.w3.org/2001/04/xmlenc#sha256": .sha256
    case "S384", "sha-384", "http://www.w3.org/2001/04/xmldsig-more#sha384": .sha384
    case "S512", "sha-512", "http://www.w3.org/2001/04/xmlenc#sha512": .sha512
    case "S3-256", "http://www.w3.org/2007/05/xmldsig-more#sha3-256": .sha3Bits256
    case "S3-384", "http://www.w3.org/2007/05/xmldsig-more#sha3-384": .sha3Bits384
    case "S3-512", "http://www.w3.org/2007/05/xmldsig-more#sha3-512": .sha3Bits512
    default: nil
    }
  }

  static func name(of hash: HashAlgorithm) -> String {
    switch hash {
    case .sha1: "S1"
    case .sha256: "S256"
    case .sha384: "S384"
    case .sha512: "S512"
    case .sha3Bits256: "S3-256"
    case .sha3Bits384: "S3-384"
    case .sha3Bits512: "S3-512"
    }
  }
}
