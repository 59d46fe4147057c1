/// One field of a template: which information element, and how many octets of it.
public struct TemplateField: Hashable, Sendable, Codable {
  /// The element's number without the enterprise bit.
  public var element: UInt16
  /// The enterprise that numbers the element; 0 for IANA and for NetFlow v9.
  public var enterprise: UInt32
  /// Octets in each record; 65,535 for a field that states its own length (RFC 7011 §7).
  public var length: UInt16

  public init(element: UInt16, enterprise: UInt32 = 0, length: UInt16) {
    self.element = element
    self.enterprise = enterprise
    self.length = length
  }

  /// Stands for "a scope of NetFlow v9" (RFC 3954 §6.1), whose numbers are not elements.
  public static let netflow9Scope: UInt32 = 0xffff_ffff

  /// The length that means "each record says".
  public static let variableLength: UInt16 = 65_535
}

/// How the records of one data set are laid out (RFC 7011 §3.4, RFC 3954 §5.2).
public struct Template: Hashable, Sendable, Codable {
  /// From 256.
  public var id: UInt16
  public var fields: [TemplateField]
  /// Fields at the front that say what an options record is about; 0 for a template of flows.
  public var scopeCount: Int
  /// Whether its records describe the exporter and not flows.
  public var isOptions: Bool

  public init(id: UInt16, fields: [TemplateField], scopeCount: Int = 0, isOptions: Bool = false) {
    self.id = id
    self.fields = fields
    self.scopeCount = scopeCount
    self.isOptions = isOptions
  }

  /// Octets of every record; nil when a field states its own length.
  public var recordLength: Int? {
    var sum = 0
    for field in fields {
      if field.length == TemplateField.variableLength { return nil }
      sum += Int(field.length)
    }
    return sum
  }

  /// Octets that a record has at least.
  var shortestRecord: Int {
    fields.reduce(0) { $0 + ($1.length == TemplateField.variableLength ? 1 : Int($1.length)) }
  }
}
