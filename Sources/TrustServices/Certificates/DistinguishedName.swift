public import SwiftASN1

/// A distinguished name (RFC 5280 4.1.2.4), compared as RFC 5280 7.1 wants: without regard to case,
/// to string type, and to leading, trailing or repeated spaces.
///
/// Compatibility forms of Unicode (full-width letters and the like) are kept apart, which refuses
/// rather than accepts.
public struct DistinguishedName: Hashable, Sendable {
  /// The attribute types that names here are built from.
  public enum AttributeType: CaseIterable, Sendable {
    case commonName, serialNumber, country, locality, state, organization, organizationalUnit
    /// 2.5.4.97 (ETSI EN 319 412-1 5.1.4), such as `NTRJP-` and the corporate number (法人番号).
    case organizationIdentifier
    case emailAddress, domainComponent

    /// The OID of X.520, PKCS #9 or RFC 4519.
    public var identifier: ASN1ObjectIdentifier {
      switch self {
      case .commonName: [2, 5, 4, 3]
      case .serialNumber: [2, 5, 4, 5]
      case .country: [2, 5, 4, 6]
      case .locality: [2, 5, 4, 7]
      case .state: [2, 5, 4, 8]
      case .organization: [2, 5, 4, 10]
      case .organizationalUnit: [2, 5, 4, 11]
      case .organizationIdentifier: [2, 5, 4, 97]
      case .emailAddress: OID.emailAddress
      case .domainComponent: [0, 9, 2342, 19_200_300, 100, 1, 25]
      }
    }

    var label: String {
      switch self {
      case .commonName: "CN"
      case .serialNumber: "serialNumber"
      case .country: "C"
      case .locality: "L"
      case .state: "ST"
      case .organization: "O"
      case .organizationalUnit: "OU"
      case .organizationIdentifier: "organizationIdentifier"
      case .emailAddress: "emailAddress"
      case .domainComponent: "DC"
      }
    }

    static let labels = Dictionary(uniqueKeysWithValues: allCases.map { ($0.identifier, $0.label) })
  }

  /// One attribute: its type and value.
  public struct Attribute: Hashable, Sendable {
    public let type: ASN1ObjectIdentifier
    /// The value's text; nil where it is no string.
    public let text: String?
    /// The value's encoding.
    public let encodedValue: [UInt8]
  }

  /// The RelativeDistinguishedNames from the root down; most hold one attribute.
  public let relativeNames: [[Attribute]]
  /// The encoding as it was read or will be written.
  public let encoded: [UInt8]
  /// One string for each RelativeDistinguishedName; equal names have equal strings.
  let canonical: [String]

  public static func == (left: Self, right: Self) -> Bool {
    left.encoded == right.encoded || left.canonical == right.canonical
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(canonical) }

  /// True for the name without any attribute.
  public var isEmpty: Bool { relativeNames.isEmpty }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var names: [[Attribute]] = []
    var canonical: [String] = []
    guard node.identifier == .sequence else {
      throw MalformedStructure("Name", "rdnSequence", "not a SEQUENCE")
    }
    for set in try node.children("Name", "rdnSequence") {
      guard set.identifier == .set else {
        throw MalformedStructure("RelativeDistinguishedName", "tag", "not a SET")
      }
      var attributes: [Attribute] = []
      for element in try set.children("RelativeDistinguishedName", "attributes") {
        var reader = try ElementReader(element, as: "AttributeTypeAndValue")
        let type = try reader.objectIdentifier("type")
        let value = try reader.any("value")
        try reader.end()
        attributes.append(
          Attribute(type: type, text: value.text, encodedValue: Array(value.encodedBytes)))
      }
      guard !attributes.isEmpty else {
        throw MalformedStructure("RelativeDistinguishedName", "attributes", "an empty SET")
      }
      names.append(attributes)
      canonical.append(Self.canonical(attributes))
    }
    relativeNames = names
    encoded = Array(node.encodedBytes)
    self.canonical = canonical
  }

  /// Reads the DER of a Name.
  public init(derEncoded bytes: [UInt8]) throws {
    try self.init(try ASN1Node.parse(der: bytes[...], as: "Name"))
  }

  /// A name from the root down, such as country, organisation, common name.
  ///
  /// Country and serial number are written as PrintableString, e-mail and domain component as
  /// IA5String, everything else as UTF8String (RFC 5280 4.1.2.4, appendix A).
  public init(_ attributes: [(AttributeType, String)]) {
    let names = attributes.map { type, text in
      [
        Attribute(
          type: type.identifier, text: text,
          encodedValue: der { coder in
            switch type {
            case .country, .serialNumber: coder.string(text, .printableString)
            case .emailAddress, .domainComponent: coder.string(text, .ia5String)
            default: coder.string(text, .utf8String)
            }
          })
      ]
    }
    self.init(names)
  }

  private init(_ names: [[Attribute]]) {
    relativeNames = names
    canonical = names.map(Self.canonical)
    encoded = der { coder in
      coder.sequence { coder in for name in names { coder.raw(Self.encode(name)) } }
    }
  }

  private static func encode(_ name: [Attribute]) -> [UInt8] {
    der { coder in
      coder.setOf(
        name.map { attribute in
          der {
            $0.sequence {
              $0.objectIdentifier(attribute.type)
              $0.raw(attribute.encodedValue)
            }
          }
        })
    }
  }

  /// This name and one RelativeDistinguishedName below it: a CRL's distribution point relative to
  /// its issuer (RFC 5280 4.2.1.13).
  func appending(relative set: ASN1Node) throws(MalformedStructure) -> DistinguishedName {
    let encodedName = der { coder in
      coder.sequence {
        for name in relativeNames { $0.raw(Self.encode(name)) }
        $0.raw(set.distinguishedEncoding(tag: .set))
      }
    }
    return try DistinguishedName(try ASN1Node.parse(der: encodedName[...], as: "Name"))
  }

  /// Whether this name lies at or below `ancestor` in the directory tree.
  func isWithin(_ ancestor: DistinguishedName) -> Bool {
    canonical.starts(with: ancestor.canonical)
  }

  /// The texts of all attributes of a type, from the root down.
  public func texts(_ type: AttributeType) -> [String] {
    let identifier = type.identifier
    return relativeNames.joined().filter { $0.type == identifier }.compactMap(\.text)
  }

  private static func canonical(_ attributes: [Attribute]) -> String {
    attributes.map { attribute in
      let value =
        attribute.text.map(prepare)
        ?? "#" + attribute.encodedValue.map { String($0, radix: 16) }.joined(separator: ".")
      // Preparation removes control characters, so a value cannot pretend to be two attributes.
      return "\(attribute.type)\u{1}\(attribute.text == nil ? "b" : "t")\u{1}\(value)"
    }.sorted().joined(separator: "\u{2}")
  }

  /// RFC 4518 in the parts that names in certificates need: case, spaces, control characters.
  private static func prepare(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var pendingSpace = false
    for scalar in text.lowercased().unicodeScalars {
      if scalar.properties.isWhitespace {
        pendingSpace = true
        continue
      }
      switch scalar.properties.generalCategory {
      case .control, .format: continue
      default: break
      }
      if pendingSpace && !result.isEmpty { result.append(" ") }
      pendingSpace = false
      result.append(scalar)
    }
    return String(result)
  }
}

extension DistinguishedName: CustomStringConvertible {
  /// The string of RFC 4514: the most specific attribute first.
  public var description: String {
    relativeNames.reversed().map { name in
      name.map { attribute in
        let label = AttributeType.labels[attribute.type] ?? "\(attribute.type)"
        guard let text = attribute.text else {
          return label + "=#"
            + attribute.encodedValue.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        var escaped = ""
        for (index, character) in text.enumerated() {
          if ",+\"\\<>;".contains(character)
            || (index == 0 && (character == " " || character == "#"))
          {
            escaped.append("\\")
          }
          escaped.append(character)
        }
        return "\(label)=\(escaped)"
      }.joined(separator: "+")
    }.joined(separator: ",")
  }
}
