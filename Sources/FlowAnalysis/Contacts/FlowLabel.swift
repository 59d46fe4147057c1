/// What a labelled data set says about a flow.
public enum FlowLabel: String, Hashable, Sendable, Codable, CaseIterable {
  /// Communication between a bot and its controller.
  case commandAndControl
  /// Other traffic of an infected host: scans, spam, attacks, downloads.
  case malicious
  /// Known to be harmless.
  case normal
  /// Not judged.
  case background

  /// Reads the labels of CTU-13 (`flow=From-Botnet-V47-TCP-CC73-Not-Encrypted`), of Zeek logs labelled
  /// by the Stratosphere Laboratory (label `Malicious`, detailed label `C&C-HeartBeat`), and this
  /// program's own CSV (the raw values).
  public init(text: String) {
    if let own = FlowLabel(rawValue: text) {
      self = own
      return
    }
    let upper = text.uppercased()
    let words = upper.split { !($0.isLetter || $0.isNumber || $0 == "&") }
    let isControl =
      upper.contains("C&C")
      || words.contains {
        $0 == "CC" || $0.hasPrefix("CC") && $0.dropFirst(2).allSatisfy(\.isNumber)
      }
    if upper.contains("BACKGROUND") || upper.hasPrefix("UNKNOWN") {
      self = .background
    } else if upper.contains("TO-BOTNET") {
      // CTU-13: what others send to the bot is not judged.
      self = .background
    } else if upper.contains("BOTNET") || upper.contains("MALICIOUS") || upper.hasPrefix("C&C") {
      self = isControl ? .commandAndControl : .malicious
    } else if upper.contains("NORMAL") || upper.contains("BENIGN") || upper.contains("LEGITIMATE") {
      // CTU-13's To-Normal is what reaches a normal host from elsewhere.
      self = upper.contains("TO-NORMAL") ? .background : .normal
    } else {
      self = .background
    }
  }
}

/// A flow of a labelled data set.
public struct LabelledFlow: Sendable {
  public var contact: Contact
  /// Whether the record's source address is the contact's client.
  public var sourceIsClient: Bool
  public var label: FlowLabel

  public init(contact: Contact, sourceIsClient: Bool, label: FlowLabel) {
    self.contact = contact
    self.sourceIsClient = sourceIsClient
    self.label = label
  }
}

/// Why a file of flows cannot be read, and what to do.
public enum LabelledFlowError: Error, Hashable, Sendable, CustomStringConvertible {
  case cannotOpen(path: String, reason: String)
  case unknownFormat(path: String)
  case missingColumn(path: String, column: String)
  case cannotDecompress(path: String, tool: String, reason: String)

  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "\(path) cannot be read: \(reason); check the name and the permissions"
    case .unknownFormat(let path):
      "\(path) is none of CTU-13 binetflow, Zeek conn.log, or CSV with a column start; see "
        + "docs/detection.md for the forms that are read"
    case .missingColumn(let path, let column):
      "\(path) has no column \(column); a file of flows needs times, addresses, ports and protocol"
    case .cannotDecompress(let path, let tool, let reason):
      "\(path) cannot be decompressed by \(tool): \(reason); install \(tool) or decompress the file "
        + "first"
    }
  }
}
