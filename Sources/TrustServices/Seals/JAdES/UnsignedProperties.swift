import FoundationEssentials

/// etsiU (TS 119 182-1 5.3): what was added to a signature later, in its order.
struct UnsignedProperties: Hashable, Sendable {
  struct Property: Hashable, Sendable {
    let name: String
    let value: JSONValue
    /// base64url as written; nil where it stands in clear.
    let text: [UInt8]?
  }

  private(set) var properties: [Property] = []
  /// Whether the elements are written as base64url, which time stamps then cover as they stand.
  var isEncoded: Bool { properties.allSatisfy { $0.text != nil } }

  init(_ properties: [Property]) { self.properties = properties }

  init(_ header: JSONObject?) throws(MalformedStructure) {
    guard let value = header?["etsiU"] else { return }
    guard let elements = value.elements else {
      throw MalformedStructure("JAdES", "etsiU", "not a list")
    }
    for element in elements {
      let object: JSONObject?
      var text: [UInt8]?
      if let string = element.text {
        guard let decoded = Base64URL.decode(string.utf8) else {
          throw MalformedStructure("JAdES", "etsiU", "an element that is not base64url")
        }
        text = Array(string.utf8)
        object = try JSONValue(parsing: decoded, as: "JAdES etsiU").object
      } else {
        object = element.object
      }
      guard let member = object?.members.first, object?.members.count == 1 else {
        throw MalformedStructure("JAdES", "etsiU", "an element that is not one property")
      }
      properties.append(Property(name: member.name, value: member.value, text: text))
    }
    let encoded = properties.filter { $0.text != nil }.count
    guard encoded == 0 || encoded == properties.count else {
      throw MalformedStructure("JAdES", "etsiU", "elements in clear and in base64url mixed")
    }
  }

  mutating func append(_ name: String, _ value: JSONValue) {
    let text = Base64URL.encode(JSONValue.object(JSONObject([(name, value)])).encoded)
    properties.append(Property(name: name, value: value, text: text))
  }

  /// The list as the header holds it.
  var encoded: JSONValue {
    .array(
      properties.map { property in
        property.text.map { .string(String(decoding: $0, as: UTF8.self)) }
          ?? .object(JSONObject([(property.name, property.value)]))
      })
  }

  func contains(_ name: String) -> Bool { properties.contains { $0.name == name } }

  /// tstTokens: each token's DER, or why it cannot be read.
  static func tokens(_ value: JSONValue) -> [Result<[UInt8], MalformedStructure>] {
    guard let list = value.object?["tstTokens"]?.elements else {
      return [.failure(MalformedStructure("JAdES", "tstTokens", "missing"))]
    }
    return list.map { element in
      guard let text = element.object?["val"]?.text, let octets = Self.base64(text) else {
        return .failure(MalformedStructure("JAdES", "tstTokens", "a token that is not base64"))
      }
      return .success(octets)
    }
  }

  static func stamp(_ token: TimeStampToken) -> JSONValue {
    .object(
      JSONObject([
        ("tstTokens", .array([.object(JSONObject([("val", .string(base64(token.encoded)))]))]))
      ]))
  }

  /// Certificates, CRLs and OCSP answers of xVals, rVals, axVals, arVals and tstVD.
  func collect(
    _ certificates: inout [Certificate],
    _ crls: inout [CertificateRevocationList], _ responses: inout [OCSPResponse]
  ) {
    for property in properties {
      var values = [property.value]
      if property.name == "tstVD" {
        values = ["xVals", "rVals"].compactMap { property.value.object?[$0] }
      } else if !["xVals", "rVals", "axVals", "arVals"].contains(property.name) {
        continue
      }
      for value in values {
        for element in value.elements ?? [] {
          let object = element.object?["x509Cert"]?.object ?? element.object
          if let octets = object?["val"]?.text.flatMap(Self.base64),
            let certificate = try? Certificate(derEncoded: octets)
          {
            certificates.append(certificate)
          }
        }
        for element in value.object?["crlVals"]?.elements ?? [] {
          if let octets = element.object?["val"]?.text.flatMap(Self.base64),
            let crl = try? CertificateRevocationList(derEncoded: octets)
          {
            crls.append(crl)
          }
        }
        for element in value.object?["ocspVals"]?.elements ?? [] {
          if let octets = element.object?["val"]?.text.flatMap(Self.base64),
            let response = (try? OCSPResponse(derEncoded: octets))
              ?? (try? OCSPResponse(basicEncoded: octets))
          {
            responses.append(response)
          }
        }
      }
    }
  }

  static func base64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
  static func base64(_ octets: [UInt8]) -> String { Data(octets).base64EncodedString() }

  private static func pki(_ octets: [UInt8]) -> JSONValue {
    .object(JSONObject([("val", .string(base64(octets)))]))
  }

  static func certificateValues(_ certificates: [Certificate]) -> JSONValue {
    .array(certificates.map { .object(JSONObject([("x509Cert", pki($0.encoded))])) })
  }

  static func revocationValues(_ information: [RevocationInformation]) -> JSONValue {
    var crls: [JSONValue] = []
    var responses: [JSONValue] = []
    for one in information {
      switch one {
      case .crl(let crl): crls.append(pki(crl.encoded))
      case .ocsp(let response): responses.append(pki(response.encoded))
      }
    }
    var object = JSONObject()
    if !crls.isEmpty { object["crlVals"] = .array(crls) }
    if !responses.isEmpty { object["ocspVals"] = .array(responses) }
    return .object(object)
  }
}
