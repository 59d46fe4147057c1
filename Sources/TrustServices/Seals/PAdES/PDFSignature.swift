import NetworkTypes

/// A signature dictionary and the field that holds it (ISO 32000-2 12.8.1).
struct PDFSignature {
  /// The three numbers of a byte range that is as it has to be.
  struct Range: Hashable {
    /// What is signed: the octets before `gapStart`, and those from `gapEnd` to `end`.
    var gapStart: Int
    var gapEnd: Int
    var end: Int
  }

  let fieldName: String
  let field: PDFReference?
  let reference: PDFReference?
  let dictionary: PDFDictionary
  let subFilter: String
  /// Of the Contents, padding included; empty where there is none.
  let contents: [UInt8]
  /// The byte range as it is written, nil where it is none.
  let byteRange: [Int]?

  var isDocumentTimeStamp: Bool {
    subFilter == "ETSI.RFC3161" || dictionary["Type"] == .name("DocTimeStamp")
  }

  /// Where the signed revision claims to end; 0 where nothing is claimed.
  var claimedEnd: Int {
    guard let byteRange, byteRange.count == 4 else { return 0 }
    let (end, overflow) = byteRange[2].addingReportingOverflow(byteRange[3])
    return overflow ? 0 : end
  }

  /// Every signature of a document's form, the earliest revision first.
  static func all(_ document: PDFDocument, _ form: PDFForm) throws(PDFError) -> [PDFSignature] {
    var list: [PDFSignature] = []
    for field in form.fields where field.type == "Sig" {
      guard let value = field.value, let dictionary = try document.dictionary(value) else {
        continue
      }
      let range = try document.array(dictionary["ByteRange"])
      list.append(
        PDFSignature(
          fieldName: field.name, field: field.reference, reference: value.reference,
          dictionary: dictionary,
          subFilter: try document.resolve(dictionary["SubFilter"]).name ?? "",
          contents: try document.resolve(dictionary["Contents"]).string ?? [],
          byteRange: range.flatMap { PDFObject.array($0).integers }))
    }
    return list.enumerated().sorted {
      ($0.element.claimedEnd, $0.offset) < ($1.element.claimedEnd, $1.offset)
    }.map(\.element)
  }

  /// The byte range, where it leaves out the Contents of this dictionary and nothing else.
  ///
  /// Everything else is how signatures are forged: ranges that skip what is shown, or Contents that
  /// stand elsewhere than where a verifier looks (universal signature forgery, signature wrapping:
  /// Mladenov et al., CCS 2019).
  func range(in document: PDFDocument) throws -> Range {
    func wrong(_ field: String, _ reason: String) -> MalformedStructure {
      MalformedStructure("Signature", field, reason)
    }
    guard !contents.isEmpty else { throw wrong("Contents", "missing, empty or null") }
    guard contents.contains(where: { $0 != 0 }) else { throw wrong("Contents", "only zeros") }
    guard let byteRange else { throw wrong("ByteRange", "missing or not of numbers") }
    guard byteRange.count == 4 else {
      throw wrong("ByteRange", "\(byteRange.count) numbers instead of four")
    }
    guard byteRange.allSatisfy({ $0 >= 0 && $0 <= document.end }) else {
      throw wrong("ByteRange", "a number is negative or beyond the file")
    }
    guard byteRange[0] == 0 else { throw wrong("ByteRange", "it does not begin with the file") }
    let range = Range(
      gapStart: byteRange[1], gapEnd: byteRange[2], end: byteRange[2] + byteRange[3])
    guard range.gapStart < range.gapEnd, range.end <= document.end else {
      throw wrong("ByteRange", "its parts overlap or go beyond the file")
    }
    guard let reference else {
      throw wrong("V", "the signature is no object of its own")
    }
    guard try document.contentsRange(of: reference) == range.gapStart..<range.gapEnd else {
      throw wrong("ByteRange", "what it leaves out is not exactly the Contents")
    }
    return range
  }

  /// What is signed, as digests.
  static func digests(
    _ bytes: [UInt8], _ range: Range, _ algorithms: Set<HashAlgorithm>
  ) -> ContentDigests {
    var digester = ContentDigester(Array(algorithms))
    digester.update(bytes[..<range.gapStart])
    digester.update(bytes[range.gapEnd..<range.end])
    return digester.finalize()
  }

  /// The date of M (ISO 32000-2 7.9.4), such as `D:20261125180000+09'00'`.
  static func date(_ octets: [UInt8]) -> Timestamp? {
    var text = PDFObject.latin(octets).unicodeScalars.map { Character($0) }[...]
    if text.starts(with: "D:") { text = text.dropFirst(2) }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard digits.count >= 4, digits.count % 2 == 0, digits.count <= 14 else { return nil }
    let full = Array(digits) + Array("00000101000000".dropFirst(digits.count))
    func part(_ range: Swift.Range<Int>) -> String { String(full[range]) }
    var zone = text.dropFirst(digits.count).filter { $0 != "'" }
    if zone.isEmpty || zone.first == "Z" { zone = ["Z"] }
    var suffix = String(zone)
    if suffix != "Z" {
      guard zone.count == 3 || zone.count == 5 else { return nil }
      let minutes = zone.count == 5 ? String(zone.suffix(2)) : "00"
      suffix = String(zone.prefix(3)) + ":" + minutes
    }
    return Timestamp(
      "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))"
        + suffix)
  }

  /// A moment as M states it, in UTC.
  static func date(_ moment: Timestamp) -> [UInt8] {
    Array("D:".utf8) + "\(moment)".prefix(19).utf8.filter { (0x30...0x39).contains($0) }
      + Array("Z".utf8)
  }
}

/// What a certifying signature permits after itself (ISO 32000-2 12.8.2.2.2).
enum PDFCertification {
  /// 1 for nothing, 2 for form fields and signatures, 3 for annotations too; nil without one.
  static func permission(_ document: PDFDocument) throws(PDFError) -> Int? {
    let permissions = try document.dictionary(document.catalogue()["Perms"])
    guard let signature = try document.dictionary(permissions?["DocMDP"]) else { return nil }
    return try permission(of: signature, document) ?? 2
  }

  /// That of one signature, where it certifies.
  static func permission(of signature: PDFDictionary, _ document: PDFDocument) throws(PDFError)
    -> Int?
  {
    for object in (try document.array(signature["Reference"]) ?? []).prefix(16) {
      guard let reference = try document.dictionary(object),
        try document.resolve(reference["TransformMethod"]).name == "DocMDP"
      else { continue }
      let parameters = try document.dictionary(reference["TransformParams"])
      return try document.resolve(parameters?["P"]).integer ?? 2
    }
    return nil
  }

  /// The fields that a signature locks (12.8.2.4): a test for a field's name.
  static func locks(of signature: PDFDictionary, _ document: PDFDocument) throws(PDFError)
    -> (@Sendable (String) -> Bool)?
  {
    for object in (try document.array(signature["Reference"]) ?? []).prefix(16) {
      guard let reference = try document.dictionary(object),
        try document.resolve(reference["TransformMethod"]).name == "FieldMDP",
        let parameters = try document.dictionary(reference["TransformParams"])
      else { continue }
      var names: [String] = []
      for name in (try document.array(parameters["Fields"]) ?? [])
        .prefix(document.limits.maximumFields)
      {
        if let octets = try document.resolve(name).string { names.append(PDFObject.text(octets)) }
      }
      let listed = Set(names)
      // A group's name stands for all fields in it.
      let isListed: @Sendable (String) -> Bool = { name in
        if listed.contains(name) { return true }
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        while parts.popLast() != nil {
          if listed.contains(parts.joined(separator: ".")) { return true }
        }
        return false
      }
      switch try document.resolve(parameters["Action"]).name {
      case "All": return { _ in true }
      case "Include": return isListed
      case "Exclude": return { !isListed($0) }
      default: return nil
      }
    }
    return nil
  }
}
