import FoundationEssentials

/// PEM (RFC 7468) as it is met: any line length, text between the blocks, Windows line ends.
struct PEMBlock {
  let label: String
  let bytes: [UInt8]
  /// Whether RFC 1421 headers stood before the data: an old way to encrypt keys.
  let hasHeaders: Bool

  /// All blocks of a text; one whose Base64 is broken is an error.
  static func list(_ text: String) throws(MalformedStructure) -> [PEMBlock] {
    var blocks: [PEMBlock] = []
    var label: String?
    var data = ""
    var hasHeaders = false
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.trimmed
      if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----"), line.utf8.count > 16 {
        label = String(line.dropFirst(11).dropLast(5))
        data = ""
        hasHeaders = false
      } else if let open = label, line == "-----END \(open)-----" {
        guard let bytes = Data(base64Encoded: data) else {
          throw MalformedStructure("PEM", open, "not Base64")
        }
        blocks.append(PEMBlock(label: open, bytes: Array(bytes), hasHeaders: hasHeaders))
        label = nil
      } else if label != nil {
        if line.contains(":") { hasHeaders = true } else { data += line }
      }
    }
    return blocks
  }

  static func encode(_ label: String, _ bytes: [UInt8]) -> String {
    var text = "-----BEGIN \(label)-----\n"
    var rest = Data(bytes).base64EncodedString()[...]
    while !rest.isEmpty {
      text += rest.prefix(64) + "\n"
      rest = rest.dropFirst(64)
    }
    return text + "-----END \(label)-----\n"
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var rest = self
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
