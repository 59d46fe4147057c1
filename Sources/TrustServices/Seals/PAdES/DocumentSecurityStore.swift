/// The document security store (ISO 32000-2 12.8.4.3, EN 319 142-1 5.4.2): certificates, CRLs and
/// OCSP answers that a document keeps for the validation of its signatures.
struct DocumentSecurityStore {
  private(set) var certificates: [[UInt8]] = []
  private(set) var crls: [[UInt8]] = []
  private(set) var responses: [[UInt8]] = []
  private let dictionary: PDFDictionary?

  /// The store of a document; empty where it has none. What cannot be read is left out.
  init(_ document: PDFDocument) throws(PDFError) {
    dictionary = try document.dictionary(document.catalogue()["DSS"])
    guard let dictionary else { return }
    certificates = try Self.octets(dictionary["Certs"], document)
    crls = try Self.octets(dictionary["CRLs"], document)
    responses = try Self.octets(dictionary["OCSPs"], document)
  }

  private static func octets(_ object: PDFObject?, _ document: PDFDocument) throws(PDFError)
    -> [[UInt8]]
  {
    var list: [[UInt8]] = []
    let elements = try document.array(object) ?? []
    guard elements.count <= document.limits.maximumValidationData else {
      throw .tooLarge("validation data in its DSS")
    }
    for element in elements {
      if let octets = try document.streamOctets(element) { list.append(octets) }
    }
    return list
  }

  var isPresent: Bool { dictionary != nil }
  var hasRevocation: Bool { !crls.isEmpty || !responses.isEmpty }

  /// Everything in it by its digest: what a time stamp over it proves to have existed.
  var objects: Set<ProvenObject> {
    var objects: Set<ProvenObject> = []
    for encoded in certificates { objects.insert(.certificate(HashAlgorithm.sha256.hash(encoded))) }
    for encoded in crls + responses {
      objects.insert(.revocation(HashAlgorithm.sha256.hash(encoded)))
    }
    for response in responses.compactMap({ try? OCSPResponse(derEncoded: $0) }) {
      for certificate in response.certificates {
        objects.insert(.certificate(certificate.fingerprint()))
      }
    }
    return objects
  }

  /// Everything in it, to be judged with.
  var readable:
    (
      certificates: [Certificate], crls: [CertificateRevocationList], responses: [OCSPResponse]
    )
  {
    (
      certificates.compactMap { try? Certificate(derEncoded: $0) },
      crls.compactMap { try? CertificateRevocationList(derEncoded: $0) },
      responses.compactMap { try? OCSPResponse(derEncoded: $0) }
    )
  }

  /// The document with `material` added to its store, and an entry for each signature by its
  /// Contents (VRI).
  static func add(
    _ material: ValidationMaterial.Collection, for signatures: [PDFSignature],
    to document: PDFDocument
  ) throws -> [UInt8] {
    let store = try DocumentSecurityStore(document)
    var update = PDFUpdate(document)
    var dictionary = store.dictionary ?? [:]
    var added: [String: [PDFObject]] = [:]
    func put(_ key: String, _ encodings: [[UInt8]], _ update: inout PDFUpdate) throws {
      var list = try document.array(dictionary[key]) ?? []
      // By octets, because the same CRL may be there already.
      var known: [[UInt8]: PDFObject] = [:]
      for element in list {
        if let octets = try document.streamOctets(element) { known[octets] = element }
      }
      for encoding in encodings {
        let reference: PDFObject
        if let there = known[encoding] {
          reference = there
        } else {
          reference = .reference(update.add(.stream([:], encoding[...])))
          known[encoding] = reference
          list.append(reference)
        }
        added[key, default: []].append(reference)
      }
      if !list.isEmpty { dictionary[key] = .array(list) }
    }
    try put("Certs", material.certificates.map(\.encoded), &update)
    var crls: [[UInt8]] = []
    var responses: [[UInt8]] = []
    for information in material.revocation {
      switch information {
      case .crl(let crl): crls.append(crl.encoded)
      case .ocsp(let response): responses.append(response.encoded)
      }
    }
    try put("CRLs", crls, &update)
    try put("OCSPs", responses, &update)

    var entries = try document.dictionary(dictionary["VRI"]) ?? [:]
    for signature in signatures {
      // SHA-1 is a name here, not a protection (ISO 32000-2 table 261).
      let key = Hexadecimal.text(HashAlgorithm.sha1.hash(signature.contents)).uppercased()
      var entry = try document.dictionary(entries[key]) ?? [:]
      for (own, all) in [("Cert", "Certs"), ("CRL", "CRLs"), ("OCSP", "OCSPs")] {
        var list = try document.array(entry[own]) ?? []
        for reference in added[all] ?? [] where !list.contains(reference) {
          list.append(reference)
        }
        if !list.isEmpty { entry[own] = .array(list) }
      }
      entries[key] = .dictionary(entry)
    }
    dictionary["VRI"] = .dictionary(entries)
    dictionary["Type"] = .name("DSS")

    var catalogue = try document.catalogue()
    guard let root = document.trailer["Root"]?.reference else {
      throw PDFError.malformed(offset: 0, "the trailer's Root is no reference")
    }
    if let own = catalogue["DSS"]?.reference {
      update.set(own, .dictionary(dictionary))
    } else {
      catalogue["DSS"] = .reference(update.add(.dictionary(dictionary)))
      update.set(root, .dictionary(catalogue))
    }
    return update.encoded().bytes
  }
}
