/// Reads templates from template sets.
enum TemplateReader {
  enum Outcome {
    case template(Template)
    /// IPFIX takes back one template, or with the number of a set all of its kind (RFC 7011 §8.1).
    case withdrawal(UInt16)
    /// What is left of the set is no template but padding.
    case padding
    case malformed
  }

  /// Reads the template at `at`, and moves `at` behind it. At least four octets must be left.
  static func read(
    _ set: RawSpan, at: inout Int, version: FlowProtocol, isOptions: Bool, largestFieldCount: Int
  ) -> Outcome {
    let id = set.u16(at)
    let count = Int(set.u16(at + 2))
    at += 4
    if version == .netflow9 {
      // An options template gives octets of scopes and of fields instead of a count.
      if isOptions { return netflow9Options(set, at: &at, id, count, largestFieldCount) }
      if id == 0, count == 0 { return .padding }
      return fields(set, at: &at, id, count: count, scopes: 0, isOptions: false, version)
    }
    if count == 0 { return id == 0 ? .padding : .withdrawal(id) }
    guard count <= largestFieldCount else { return .malformed }
    var scopes = 0
    if isOptions {
      guard set.byteCount - at >= 2 else { return .malformed }
      scopes = Int(set.u16(at))
      at += 2
      guard scopes <= count else { return .malformed }
    }
    return fields(set, at: &at, id, count: count, scopes: scopes, isOptions: isOptions, version)
  }

  private static func netflow9Options(
    _ set: RawSpan, at: inout Int, _ id: UInt16, _ scopeOctets: Int, _ largestFieldCount: Int
  ) -> Outcome {
    guard set.byteCount - at >= 2 else { return .padding }
    let fieldOctets = Int(set.u16(at))
    at += 2
    if id == 0, scopeOctets == 0, fieldOctets == 0 { return .padding }
    guard scopeOctets % 4 == 0, fieldOctets % 4 == 0 else { return .malformed }
    let count = (scopeOctets + fieldOctets) / 4
    guard count <= largestFieldCount else { return .malformed }
    return fields(
      set, at: &at, id, count: count, scopes: scopeOctets / 4, isOptions: true, .netflow9)
  }

  private static func fields(
    _ set: RawSpan, at: inout Int, _ id: UInt16, count: Int, scopes: Int, isOptions: Bool,
    _ version: FlowProtocol
  ) -> Outcome {
    // Each field takes four octets at least, so a count that the set cannot hold reserves nothing.
    guard id >= 256, count > 0, set.byteCount - at >= 4 * count else { return .malformed }
    var fields: [TemplateField] = []
    fields.reserveCapacity(count)
    var octets = 0
    for index in 0..<count {
      guard set.byteCount - at >= 4 else { return .malformed }
      var field = TemplateField(element: set.u16(at), length: set.u16(at + 2))
      at += 4
      if version == .ipfix, field.element & 0x8000 != 0 {
        guard set.byteCount - at >= 4 else { return .malformed }
        field.element &= 0x7fff
        field.enterprise = set.u32(at)
        at += 4
      } else if version == .netflow9, index < scopes {
        field.enterprise = TemplateField.netflow9Scope
      }
      octets += field.length == TemplateField.variableLength ? 1 : Int(field.length)
      fields.append(field)
    }
    // A record of no octets could be repeated for ever, and one longer than any datagram never comes.
    guard octets > 0, octets <= 65_535 else { return .malformed }
    return .template(
      Template(id: id, fields: fields, scopeCount: scopes, isOptions: isOptions))
  }
}
