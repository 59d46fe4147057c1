public import Constituency
import Crypto
public import Findings
public import NetworkTypes

/// What an organisation is told at one time: its own cases and nothing else (通知).
public struct Notice: Hashable, Sendable, Codable, Identifiable {
  /// 32 hexadecimal digits, derived from the content: organisation, aggregate, local day, and each
  /// case with the last sighting that is told. The same notice cannot be made twice.
  public let id: String
  /// `N-20261125-0001`: what people quote. The local day of its making and a running number.
  public let number: String
  public let organisation: String
  /// The ``Directive/aggregateIdentifier`` of its cases.
  public let aggregate: String
  public let created: Timestamp
  /// The first and last sighting of what it tells.
  public let firstSeen: Timestamp
  public let lastSeen: Timestamp
  /// The narrowest of its cases.
  public let marking: TrafficLight
  /// Identifiers, in order of the addresses.
  public let cases: [String]

  public init(
    id: String, number: String, organisation: String, aggregate: String, created: Timestamp,
    firstSeen: Timestamp, lastSeen: Timestamp, marking: TrafficLight, cases: [String]
  ) {
    self.id = id
    self.number = number
    self.organisation = organisation
    self.aggregate = aggregate
    self.created = created
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.marking = marking
    self.cases = cases
  }

  /// - Parameter cases: identifier and last sighting, in any order.
  static func identifier(
    organisation: String, aggregate: String, day: String, cases: [(id: String, lastSeen: Timestamp)]
  ) -> String {
    let content =
      ["noroshi-notice-1", organisation, aggregate, day]
      + cases.map { "\($0.id) \($0.lastSeen.nanoseconds)" }.sorted()
    let octets = Array(content.joined(separator: "\u{1f}").utf8)
    return MailMessage.hexadecimal(SHA256.hash(data: octets).prefix(16))
  }

  /// `N-20261125-0001`.
  static func number(day: String, sequence: Int) -> String {
    let digits = String(sequence)
    return "N-\(day)-" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }
}

/// A case as a notice tells it.
public struct NoticeCase: Hashable, Sendable {
  public let item: Case
  /// What is told of it: the newest first.
  public let findings: [Finding]

  public init(item: Case, findings: [Finding]) {
    self.item = item
    self.findings = findings
  }
}

/// A piece of a notice as it was sent.
public struct NoticePart: Hashable, Sendable {
  public let format: DeliveryPreferences.Format
  /// Nil where people of every language get the same.
  public let language: Language?
  /// The file name: `N-20261125-0001.csv`.
  public let name: String
  /// `text/csv; charset=utf-8; header=present`.
  public let type: String
  /// Of the mail text.
  public let subject: String?
  public let content: [UInt8]

  public init(
    format: DeliveryPreferences.Format, language: Language?, name: String, type: String,
    subject: String?, content: [UInt8]
  ) {
    self.format = format
    self.language = language
    self.name = name
    self.type = type
    self.subject = subject
    self.content = content
  }

  /// The content as text; every part of a notice is UTF-8.
  public var text: String { String(decoding: content, as: UTF8.self) }
}

/// Why a notice is not made or sent.
public enum NoticeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The last wall: a case of somebody else was about to be told.
  case foreignCase(notice: String, case: String, owner: String)
  case incomplete(notice: String, reason: String)
  /// There is none, or the asker must not see it.
  case notFound(String)
  case noDelivery(String)
  case notPossible(delivery: String, state: Delivery.State)

  public var description: String {
    switch self {
    case .foreignCase(let notice, let item, let owner):
      "notice \(notice) was not made: case \(item) belongs to \(owner); report this as a defect"
    case .incomplete(let notice, let reason):
      "notice \(notice) was not made: \(reason); report this as a defect"
    case .notFound(let id): "there is no notice \(id); list them with “noroshi notice list”"
    case .noDelivery(let id): "there is no delivery \(id); look at “noroshi notice show”"
    case .notPossible(let id, let state):
      "delivery \(id) is \(state.rawValue) and cannot be tried again; only one that waits, failed "
        + "or is in doubt can"
    }
  }
}
