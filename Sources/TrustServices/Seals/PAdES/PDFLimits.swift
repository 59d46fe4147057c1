/// Every bound against PDF files made to keep a server busy; all are our own choice, an order of
/// magnitude above what office documents with decades of archive time stamps have.
public struct PDFLimits: Sendable {
  /// Arrays and dictionaries inside one another in one object.
  public var maximumDepth = 64
  /// Objects that the cross-reference tables of one file may name.
  public var maximumObjects = 1 << 20
  /// Cross-reference sections, that is, revisions.
  public var maximumSections = 1024
  /// One stream unpacked.
  public var maximumStreamSize = 64 << 20
  /// All streams together unpacked.
  public var maximumUnpackedSize = 256 << 20
  /// Fields of the form.
  public var maximumFields = 10_000
  /// Pages.
  public var maximumPages = 100_000
  /// References that lead to references, and streams whose length is in another stream.
  public var maximumIndirection = 16
  /// How far before the end of a file `startxref` is looked for (ISO 32000-2 7.5.5; readers allow
  /// 1024).
  public var tailSize = 2048
  /// Objects that are looked at to compare two revisions, and 64 octets of a stream each.
  public var maximumComparisons = 1 << 26
  /// Certificates, CRLs and OCSP answers of the DSS.
  public var maximumValidationData = 1024

  /// The values above.
  public init() {}
}

/// Why a PDF file cannot be read or sealed.
public enum PDFError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Something at an offset of the file breaks ISO 32000.
  case malformed(offset: Int, String)
  case encrypted
  case tooLarge(String)
  case unsupported(String)
  /// A certifying signature forbids the change (ISO 32000-2 12.8.2.2).
  case changesForbidden

  /// Whether the file may be in order, and is only not read here.
  var isOutOfReach: Bool {
    switch self {
    case .encrypted, .tooLarge, .unsupported: true
    case .malformed, .changesForbidden: false
    }
  }

  public var description: String {
    switch self {
    case .malformed(let offset, let what):
      "The PDF cannot be read at octet \(offset): \(what). Have it saved anew by the program that "
        + "made it."
    case .encrypted:
      "The PDF is encrypted, and signatures in it are not read here. Remove the protection first."
    case .tooLarge(let what):
      "The PDF has more \(what) than are read here. Give a smaller one."
    case .unsupported(let what):
      "The PDF uses \(what), which is not read here. Have it saved anew by another program."
    case .changesForbidden:
      "The PDF's certifying signature permits no further signature. Seal it detached (CAdES)."
    }
  }
}
