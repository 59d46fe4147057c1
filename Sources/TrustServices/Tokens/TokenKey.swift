import Dispatch
import SwiftASN1
import Synchronization

/// Numbers of the way to a token.
public struct TokenKeyParameters: Sendable {
  /// Sessions open at once; more callers wait. Our own choice: smart cards take one, network HSMs and
  /// softhsm2 hundreds.
  public var maximumSessions = 8

  /// The values above.
  public init() {}
}

/// A private key on a PKCS #11 token: it signs there and never leaves it.
///
/// Sessions are pooled; one that the token dropped is replaced once, and the PIN given again.
public final class TokenKey: SigningKey {
  private struct Pool {
    /// Open sessions with the key's handle in them.
    var idle: [(session: UInt, key: UInt)] = []
  }

  public let publicKey: PublicKey
  private let module: PKCS11Module
  private let slot: UInt
  private let wanted: [(UInt, [UInt8])]
  private let uri: PKCS11URI
  private let pin: String?
  private let pool = Mutex(Pool())
  /// As many permits as sessions may be open.
  private let permits: DispatchSemaphore

  /// The key that `uri` names. `module` is used where the URI has no module-path, `pin` where it has
  /// no pin-source.
  public init(
    _ uri: PKCS11URI, module: String? = nil, pin: String? = nil,
    environment: [String: String] = [:], parameters: TokenKeyParameters = .init()
  ) throws {
    let (loaded, slot) = try Self.find(uri, module)
    self.module = loaded
    self.slot = slot
    self.uri = uri
    self.pin = try uri.pin(environment: environment) ?? pin
    permits = DispatchSemaphore(value: max(1, parameters.maximumSessions))
    let name = Self.name(of: uri)
    wanted = [(PKCS11Module.Attribute.objectClass, PKCS11Module.octets(3))] + name
    let session = try loaded.openSession(slot)
    if let pin = self.pin { try loaded.login(session, pin: pin) }
    let keys = try loaded.find(session, wanted)
    guard keys.count < 2 else { throw TokenError.keyAmbiguous("\(uri)") }
    guard let key = keys.first else { throw TokenError.keyMissing("\(uri)") }
    publicKey = try Self.publicKey(loaded, session, name)
    pool.withLock { $0.idle.append((session, key)) }
  }

  deinit {
    for (session, _) in pool.withLock({ $0.idle }) { module.closeSession(session) }
  }

  private static func find(_ uri: PKCS11URI, _ path: String?) throws(TokenError) -> (
    PKCS11Module, UInt
  ) {
    guard let path = uri.modulePath ?? path else { throw .moduleMissing("no path is given") }
    let module = try PKCS11Module.at(path)
    let slots = try module.slots().filter { slot in
      guard uri.slot == nil || uri.slot == slot, let token = try? module.token(slot) else {
        return false
      }
      return (uri.token == nil || uri.token == token.label)
        && (uri.serial == nil || uri.serial == token.serial)
        && (uri.manufacturer == nil || uri.manufacturer == token.manufacturer)
        && (uri.model == nil || uri.model == token.model)
    }
    guard let slot = slots.first else { throw .tokenMissing("\(uri)") }
    return (module, slot)
  }

  private static func name(of uri: PKCS11URI) -> [(UInt, [UInt8])] {
    var name: [(UInt, [UInt8])] = []
    if let object = uri.object { name.append((PKCS11Module.Attribute.label, Array(object.utf8))) }
    if let id = uri.id { name.append((PKCS11Module.Attribute.id, id)) }
    return name
  }

  /// Reads the public key that lies beside the private one.
  private static func publicKey(
    _ module: PKCS11Module, _ session: UInt, _ name: [(UInt, [UInt8])]
  ) throws -> PublicKey {
    let wanted = [(PKCS11Module.Attribute.objectClass, PKCS11Module.octets(2))] + name
    guard let object = try module.find(session, wanted).first else {
      throw TokenError.unsupportedKey("without its public key")
    }
    func value(_ type: UInt) throws -> [UInt8] {
      guard let value = try module.attribute(session, object, type), !value.isEmpty else {
        throw TokenError.unsupportedKey("without attribute 0x\(String(type, radix: 16))")
      }
      return value
    }
    let kind = try value(PKCS11Module.Attribute.keyType)
    switch kind.first {
    case 0:
      let modulus = try value(PKCS11Module.Attribute.modulus)
      let exponent = try value(PKCS11Module.Attribute.publicExponent)
      let key = der { coder in
        coder.sequence {
          $0.integer(octets: [0] + modulus)
          $0.integer(octets: [0] + exponent)
        }
      }
      return try PublicKey(
        derEncoded: der { coder in
          coder.sequence {
            AlgorithmIdentifier(OID.rsaEncryption, parameters: AlgorithmIdentifier.null).write(&$0)
            $0.bits(key)
          }
        })
    case 3:
      let parameters = try value(PKCS11Module.Attribute.ecParameters)
      let point = try value(PKCS11Module.Attribute.ecPoint)
      // An OCTET STRING by the standard; some modules give the point bare.
      let octets =
        (try? Array(ASN1Node.parse(der: point[...], as: "ECPoint").octets("ECPoint", "point")))
        ?? point
      return try PublicKey(
        derEncoded: der { coder in
          coder.sequence {
            AlgorithmIdentifier(OID.ecPublicKey, parameters: parameters).write(&$0)
            $0.bits(octets)
          }
        })
    default: throw TokenError.unsupportedKey("of CKA_KEY_TYPE \(kind)")
    }
  }

  /// Makes a key pair on the token that `uri` names, not extractable; for `object` and `id` of it.
  public static func generate(
    _ kind: FileKey.Kind, _ uri: PKCS11URI, module: String? = nil, pin: String? = nil,
    environment: [String: String] = [:]
  ) throws -> TokenKey {
    let (loaded, slot) = try find(uri, module)
    let session = try loaded.openSession(slot, isWriting: true)
    defer { loaded.closeSession(session) }
    let given = try uri.pin(environment: environment) ?? pin
    if let given { try loaded.login(session, pin: given) }
    let name = name(of: uri)
    let secret = [(PKCS11Module.Attribute.objectClass, PKCS11Module.octets(3))] + name
    guard try loaded.find(session, secret).isEmpty else {
      throw TokenError.keyAmbiguous("\(uri)")
    }
    let yes: [UInt8] = [1]
    var open: [(UInt, [UInt8])] = [
      (PKCS11Module.Attribute.token, yes), (PKCS11Module.Attribute.verify, yes),
    ]
    let mechanism: UInt
    func curve(_ identifier: ASN1ObjectIdentifier) {
      open.append((PKCS11Module.Attribute.ecParameters, der { $0.objectIdentifier(identifier) }))
    }
    switch kind {
    case .rsa(let bits):
      mechanism = PKCS11Module.Mechanism.rsaKeyPair
      open.append((PKCS11Module.Attribute.modulusBits, PKCS11Module.octets(UInt(bits))))
      open.append((PKCS11Module.Attribute.publicExponent, [1, 0, 1]))
    case .p256, .p384, .p521:
      mechanism = PKCS11Module.Mechanism.ecKeyPair
      curve(kind == .p256 ? OID.p256 : kind == .p384 ? OID.p384 : OID.p521)
    case .ed25519: throw TokenError.unsupportedKey("to be Ed25519")
    }
    try loaded.generate(
      session, mechanism: mechanism, publicKey: open + name,
      privateKey: [
        (PKCS11Module.Attribute.token, yes), (PKCS11Module.Attribute.isPrivate, yes),
        (PKCS11Module.Attribute.sensitive, yes), (PKCS11Module.Attribute.extractable, [0]),
        (PKCS11Module.Attribute.sign, yes),
      ] + name)
    return try TokenKey(uri, module: module, pin: pin, environment: environment)
  }

  public func signature(for message: [UInt8], algorithm: SignatureAlgorithm) throws -> [UInt8] {
    let refusal = KeyError.cannotSign("\(algorithm)")
    guard algorithm.hash.isCollisionResistant else { throw refusal }
    let digest = algorithm.hash.hash(message)
    switch (publicKey.kind, algorithm) {
    case (.p256, .ecdsa), (.p384, .ecdsa), (.p521, .ecdsa):
      let raw = try sign(PKCS11Module.Mechanism.ecdsa, nil, digest, capacity: 256)
      guard raw.count % 2 == 0, !raw.isEmpty else { throw refusal }
      // r and s, which CMS wants as DER (RFC 3279 2.2.3).
      return der { coder in
        coder.sequence {
          $0.integer(octets: [0] + raw.prefix(raw.count / 2))
          $0.integer(octets: [0] + raw.suffix(raw.count / 2))
        }
      }
    case (.rsa(let bits), .rsaPKCS1(let hash)):
      // DigestInfo (RFC 8017 9.2); parameters are NULL there, absent for none of these hashes.
      let info = der { coder in
        coder.sequence {
          AlgorithmIdentifier(hash.identifier, parameters: AlgorithmIdentifier.null).write(&$0)
          $0.octets(digest)
        }
      }
      return try sign(PKCS11Module.Mechanism.rsaPKCS, nil, info, capacity: (bits + 7) / 8)
    case (.rsa(let bits), .rsaPSS(let hash, let mask, let salt)):
      guard let pss = Self.pss(hash, mask, salt) else { throw refusal }
      return try sign(PKCS11Module.Mechanism.rsaPSS, pss, digest, capacity: (bits + 7) / 8)
    default: throw refusal
    }
  }

  /// CKM_ and CKG_MGF1_ numbers of SHA-2; modules know no SHA-3.
  private static func pss(_ hash: HashAlgorithm, _ mask: HashAlgorithm, _ salt: Int)
    -> PKCS11Module.PSS?
  {
    let hashes: [HashAlgorithm: UInt] = [.sha256: 0x250, .sha384: 0x260, .sha512: 0x270]
    let masks: [HashAlgorithm: UInt] = [.sha256: 2, .sha384: 3, .sha512: 4]
    guard let hash = hashes[hash], let mask = masks[mask], salt >= 0 else { return nil }
    return (hash, mask, UInt(salt))
  }

  private func sign(
    _ mechanism: UInt, _ pss: PKCS11Module.PSS?, _ data: [UInt8], capacity: Int
  ) throws -> [UInt8] {
    permits.wait()
    defer { permits.signal() }
    if let (session, key) = pool.withLock({ $0.idle.popLast() }) {
      do {
        let signature = try module.sign(
          session, key, mechanism: mechanism, pss: pss, data, capacity: capacity)
        pool.withLock { $0.idle.append((session, key)) }
        return signature
      } catch {
        // Perhaps the token was taken out or restarted; what the new session says counts.
        module.closeSession(session)
      }
    }
    let session = try module.openSession(slot)
    do {
      if let pin { try module.login(session, pin: pin) }
      guard let key = try module.find(session, wanted).first else {
        throw TokenError.keyMissing("\(uri)")
      }
      let signature = try module.sign(
        session, key, mechanism: mechanism, pss: pss, data, capacity: capacity)
      pool.withLock { $0.idle.append((session, key)) }
      return signature
    } catch {
      module.closeSession(session)
      throw error
    }
  }
}

/// A key as a configuration names it: a PEM file, or a `pkcs11:` URI.
public enum NamedKey {
  /// Opens the key. `passphrase` opens an encrypted file and is the PIN where the URI has no
  /// pin-source.
  public static func open(
    _ name: String, passphrase: String?, environment: [String: String] = [:],
    read: (String) throws -> String
  ) throws -> any SigningKey {
    if name.hasPrefix("pkcs11:") {
      return try TokenKey(
        try PKCS11URI(name), module: environment["NOROSHI_PKCS11_MODULE"], pin: passphrase,
        environment: environment)
    }
    return try FileKey(pem: try read(name), passphrase: passphrase)
  }
}
