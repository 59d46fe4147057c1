public import NetworkTypes
public import SwiftASN1

/// Accuracy (RFC 3161 2.4.2): how far the authority's clock may be off.
public struct TimeStampAccuracy: Hashable, Sendable {
  public let microseconds: UInt64

  /// An accuracy; parts of a microsecond cannot be expressed.
  public init(microseconds: UInt64) { self.microseconds = microseconds }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    let name = "Accuracy"
    var reader = try ElementReader(node, as: name)
    var total: UInt64 = 0
    if let seconds = reader.optional(.integer) {
      let value = try seconds.smallInteger(name, "seconds")
      guard value >= 0 else { throw reader.wrong("seconds", "negative") }
      total += UInt64(value) * 1_000_000
    }
    for (tag, field, scale) in [(UInt(0), "millis", UInt64(1000)), (1, "micros", 1)] {
      guard let part = reader.optional(context: tag) else { continue }
      let value = try part.smallInteger(name, field, tag: part.identifier)
      guard (0...999).contains(value) else { throw reader.wrong(field, "not within 1 to 999") }
      total += UInt64(value) * scale
    }
    try reader.end()
    microseconds = total
  }

  func write(_ coder: inout DER.Serializer) {
    coder.sequence { coder in
      let seconds = microseconds / 1_000_000
      if seconds > 0 { coder.integer(Int(clamping: seconds)) }
      let parts = [microseconds / 1000 % 1000, microseconds % 1000]
      for (tag, part) in parts.enumerated() where part > 0 {
        coder.integer(
          Int(part), tag: ASN1Identifier(tagWithNumber: UInt(tag), tagClass: .contextSpecific))
      }
    }
  }
}

/// TSTInfo (RFC 3161 2.4.2): what a time stamp says.
public struct TimeStampInfo: Hashable, Sendable {
  public let policy: ASN1ObjectIdentifier
  public let imprint: MessageImprint
  /// Unique for each stamp of the authority, at most 20 octets.
  public let serialNumber: [UInt8]
  /// The same in hexadecimal digits.
  public var serialNumberText: String { Hexadecimal.text(serialNumber) }
  /// The moment, to the nanosecond where the authority gives that many digits.
  public let genTime: Timestamp
  public let accuracy: TimeStampAccuracy?
  /// Whether stamps of this authority are in order even when closer than their accuracy.
  public let ordering: Bool
  public let nonce: [UInt8]?
  /// The authority's name, where it states one.
  public let tsa: GeneralName?
  public let extensions: [CertificateExtension]
  /// The DER: the content of the token.
  public let encoded: [UInt8]

  /// A stamp from its parts; `fractionDigits` decimals of the second are written, 0 to 9.
  public init(
    policy: ASN1ObjectIdentifier, imprint: MessageImprint, serialNumber: [UInt8],
    genTime: Timestamp, fractionDigits: Int, accuracy: TimeStampAccuracy?, ordering: Bool = false,
    nonce: [UInt8]?, tsa: GeneralName? = nil, extensions: [CertificateExtension] = []
  ) {
    self.policy = policy
    self.imprint = imprint
    self.serialNumber = serialNumber
    self.genTime = genTime
    self.accuracy = accuracy
    self.ordering = ordering
    self.nonce = nonce
    self.tsa = tsa
    self.extensions = extensions
    encoded = der { coder in
      coder.sequence { coder in
        coder.integer(1)
        coder.objectIdentifier(policy)
        imprint.write(&coder)
        coder.integer(octets: serialNumber)
        coder.generalizedTime(genTime, fractionDigits: fractionDigits)
        accuracy?.write(&coder)
        if ordering { coder.boolean(true) }
        if let nonce { coder.integer(octets: nonce) }
        if let tsa { coder.context(0) { tsa.write(&$0) } }
        if !extensions.isEmpty { coder.context(1) { for one in extensions { one.write(&$0) } } }
      }
    }
  }

  /// Reads the content of a token.
  public init(encoded bytes: [UInt8]) throws(MalformedStructure) {
    let name = "TSTInfo"
    encoded = bytes
    var reader = try ElementReader(try ASN1Node.parse(ber: bytes[...], as: name), as: name)
    guard try reader.smallInteger("version") == 1 else { throw reader.wrong("version", "not 1") }
    policy = try reader.objectIdentifier("policy")
    imprint = try MessageImprint(try reader.any("messageImprint"))
    serialNumber = try reader.integer("serialNumber")
    genTime = try ASN1Time.read(
      try reader.expect(.generalizedTime, "genTime"), name, "genTime")
    if let node = reader.optional(.sequence) {
      accuracy = try TimeStampAccuracy(node)
    } else {
      accuracy = nil
    }
    ordering = try reader.boolean("ordering", default: false)
    if let node = reader.optional(.integer) {
      nonce = try node.integer(name, "nonce")
    } else {
      nonce = nil
    }
    if let node = try reader.optional(explicit: 0, "tsa") {
      tsa = try GeneralName(node)
    } else {
      tsa = nil
    }
    if let list = reader.optional(context: 1) {
      var found: [CertificateExtension] = []
      for element in try list.children(name, "extensions") {
        found.append(try CertificateExtension(element))
      }
      extensions = found
    } else {
      extensions = []
    }
    try reader.end()
  }
}
