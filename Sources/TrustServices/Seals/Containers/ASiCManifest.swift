import FoundationEssentials

/// ASiCManifest (EN 319 162-1 A.4): which files of a container a signature is about, by digest.
struct ASiCManifest {
  struct Reference: Hashable {
    let name: String
    let mediaType: String?
    let hash: HashAlgorithm
    let digest: [UInt8]
  }

  static let namespace = "http://uri.etsi.org/02918/v1.2.1#"
  private static let signatureNamespace = "http://www.w3.org/2000/09/xmldsig#"

  /// The file that holds the signature over this manifest.
  let signature: String
  let references: [Reference]

  init(signature: String, references: [Reference]) {
    self.signature = signature
    self.references = references
  }

  init(reading bytes: [UInt8]) throws(MalformedStructure) {
    let root = try XMLElement.read(bytes)
    func wrong(_ field: String, _ reason: String) -> MalformedStructure {
      MalformedStructure("ASiCManifest", field, reason)
    }
    guard root.name == "ASiCManifest", root.namespace == Self.namespace else {
      throw wrong("root", "not an ASiCManifest of \(Self.namespace)")
    }
    guard let target = root.first("SigReference")?.attributes["URI"],
      let signature = DetachedObjects.decode(target), !signature.isEmpty
    else { throw wrong("SigReference", "without a URI") }
    self.signature = signature
    var list: [Reference] = []
    for element in root.children where element.name == "DataObjectReference" {
      guard let uri = element.attributes["URI"], let name = DetachedObjects.decode(uri),
        !list.contains(where: { $0.name == name })
      else { throw wrong("DataObjectReference", "without a URI, or doubled") }
      guard let method = element.first("DigestMethod")?.attributes["Algorithm"],
        let hash = JSONWebAlgorithm.hash(method)
      else { throw wrong("DigestMethod", "missing or not known here") }
      guard let value = element.first("DigestValue")?.text,
        let digest = Data(base64Encoded: value.filter { !$0.isWhitespace })
      else { throw wrong("DigestValue", "missing or not base64") }
      list.append(
        Reference(
          name: name, mediaType: element.attributes["MimeType"], hash: hash,
          digest: Array(digest)))
    }
    guard !list.isEmpty else { throw wrong("DataObjectReference", "none") }
    references = list
  }

  private static func uri(_ hash: HashAlgorithm) -> String {
    switch hash {
    case .sha1: "http://www.w3.org/2000/09/xmldsig#sha1"
    case .sha256: "http://www.w3.org/2001/04/xmlenc#sha256"
    case .sha384: "http://www.w3.org/2001/04/xmldsig-more#sha384"
    case .sha512: "http://www.w3.org/2001/04/xmlenc#sha512"
    case .sha3Bits256: "http://www.w3.org/2007/05/xmldsig-more#sha3-256"
    case .sha3Bits384: "http://www.w3.org/2007/05/xmldsig-more#sha3-384"
    case .sha3Bits512: "http://www.w3.org/2007/05/xmldsig-more#sha3-512"
    }
  }

  private static func path(_ name: String) -> String {
    name.split(separator: "/", omittingEmptySubsequences: false)
      .map { DetachedObjects.encode(String($0)) }.joined(separator: "/")
  }

  var encoded: [UInt8] {
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <asic:ASiCManifest xmlns:asic="\(Self.namespace)" xmlns:ds="\(Self.signatureNamespace)">
        <asic:SigReference URI="\(Self.path(signature))" MimeType="application/pkcs7-signature"/>

      """
    for one in references {
      let type = one.mediaType.map { " MimeType=\"\(XMLElement.escape($0))\"" } ?? ""
      text += """
          <asic:DataObjectReference URI="\(Self.path(one.name))"\(type)>
            <ds:DigestMethod Algorithm="\(Self.uri(one.hash))"/>
            <ds:DigestValue>\(Data(one.digest).base64EncodedString())</ds:DigestValue>
          </asic:DataObjectReference>

        """
    }
    return Array((text + "</asic:ASiCManifest>\n").utf8)
  }
}
