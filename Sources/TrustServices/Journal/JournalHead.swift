import FoundationEssentials

/// How many records there are and the root of the tree over them: what is signed and published.
public struct JournalHead: Hashable, Sendable {
  public let size: UInt64
  public let root: [UInt8]

  /// A head from its parts.
  public init(size: UInt64, root: [UInt8]) {
    self.size = size
    self.root = root
  }

  /// The text to be sealed and published: the log's name, the size and the root in Base64, a line
  /// each, as in the checkpoints of C2SP's tlog-checkpoint.
  public func checkpoint(origin: String) -> String {
    "\(origin)\n\(size)\n\(Data(root).base64EncodedString())\n"
  }

  /// Reads such a text; nil where it is of another log or not a checkpoint.
  public init?(checkpoint text: String, origin: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 4, lines[0] == origin, lines[3].isEmpty, let size = UInt64(lines[1]),
      "\(size)" == lines[1], let root = Data(base64Encoded: String(lines[2])), root.count == 32
    else { return nil }
    self.init(size: size, root: Array(root))
  }
}
