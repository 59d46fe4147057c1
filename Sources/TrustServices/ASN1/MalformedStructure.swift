/// A standard structure that could not be read: which structure, which field, and what is wrong
/// with it.
public struct MalformedStructure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The ASN.1 type as its standard names it, such as `TBSCertificate`.
  public let structure: String
  /// The field of that type, in the standard's spelling.
  public let field: String
  /// What was found or expected, without a full stop.
  public let reason: String

  /// Names the field that broke and why.
  public init(_ structure: String, _ field: String, _ reason: String) {
    self.structure = structure
    self.field = field
    self.reason = reason
  }

  public var description: String {
    "\(structure).\(field) cannot be read: \(reason). Ask whoever made it for a new copy."
  }
}
