/// sigD (TS 119 182-1 5.2.8): which objects a detached signature is about.
struct DetachedObjects {
  static let byURI = "http://uri.etsi.org/19182/ObjectIdByURI"
  static let byURIHash = "http://uri.etsi.org/19182/ObjectIdByURIHash"

  let mechanism: String
  let names: [String]
  let hash: HashAlgorithm?
  let digests: [[UInt8]]

  init(_ value: JSONValue) throws(MalformedStructure) {
    func wrong(_ reason: String) -> MalformedStructure {
      MalformedStructure("JAdES", "sigD", reason)
    }
    guard let object = value.object, let mechanism = object["mId"]?.text,
      let names = object["pars"]?.elements?.map(\.text), !names.isEmpty,
      !names.contains(where: { $0 == nil })
    else { throw wrong("without mId or pars") }
    self.mechanism = mechanism
    self.names = names.compactMap { $0 }
    guard mechanism == Self.byURIHash else {
      hash = nil
      digests = []
      return
    }
    guard let name = object["hashM"]?.text, let hash = JSONWebAlgorithm.hash(name) else {
      throw wrong("hashM is missing or not known here")
    }
    let digests = object["hashV"]?.elements?.map { $0.text.flatMap { Base64URL.decode($0.utf8) } }
    guard let digests, digests.count == names.count, !digests.contains(where: { $0 == nil }) else {
      throw wrong("hashV does not go with pars")
    }
    self.hash = hash
    self.digests = digests.compactMap { $0 }
  }

  /// The content that a name means: the file of that name, or the only one there is.
  static func find(_ name: String, in contents: [NamedContent], only: Bool) -> ContentDigests? {
    let last = name.split(separator: "/").last.map(String.init) ?? name
    let decoded = decode(last)
    return contents.first { $0.name == name || $0.name == last || $0.name == decoded }?.content
      ?? (only && contents.count == 1 ? contents[0].content : nil)
  }

  /// Percent-encoding (RFC 3986 2.1) of whatever is not unreserved.
  static func encode(_ name: String) -> String {
    var text = ""
    for byte in name.utf8 {
      let scalar = Unicode.Scalar(byte)
      let isPlain =
        byte < 0x80 && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte))
        || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
      if isPlain {
        text.unicodeScalars.append(scalar)
      } else {
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }

  static func decode(_ text: String) -> String? {
    var octets: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        octets.append(byte)
        continue
      }
      guard rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { return nil }
      octets.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: octets, as: UTF8.self)
  }

  /// All objects one after the other, each in base64url where the payload would be; nil where one is
  /// missing or not held.
  func joined(_ contents: [NamedContent], isEncoded: Bool) -> [UInt8]? {
    var octets: [UInt8] = []
    for name in names {
      guard let one = Self.find(name, in: contents, only: names.count == 1)?.octets else {
        return nil
      }
      octets += isEncoded ? Base64URL.encode(one) : one
    }
    return octets
  }

  /// The digest that an archive time stamp is over: payload or objects, then `tail`.
  static func archiveDigest(
    _ hash: HashAlgorithm, payloadText: [UInt8]?, signer: JSONWebSignature.Signer,
    contents: [NamedContent], tail: [UInt8]
  ) -> [UInt8]? {
    if let payloadText { return hash.hash(payloadText + tail) }
    guard let value = signer.protected["sigD"], let objects = try? DetachedObjects(value) else {
      guard contents.count == 1 else { return nil }
      if signer.isPayloadEncoded {
        return contents[0].content.octets.map { hash.hash(Base64URL.encode($0) + tail) }
      }
      return contents[0].content.digest(hash, followedBy: tail)
    }
    if !signer.isPayloadEncoded, objects.names.count == 1 {
      return find(objects.names[0], in: contents, only: true)?.digest(hash, followedBy: tail)
    }
    return objects.joined(contents, isEncoded: signer.isPayloadEncoded).map { hash.hash($0 + tail) }
  }
}
