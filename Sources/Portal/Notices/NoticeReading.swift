import NetworkTypes

/// What a page shows of a notice to an organisation.
struct NoticeSummary: Sendable {
  var id: String
  var organisation: String
  /// `delivery.STATE` in the catalogue: the worst of its deliveries.
  var state: String
  var cases: Int
  var created: Timestamp
  var delivered: Timestamp?
  /// The formats it went out in.
  var formats: [String]
}

/// One attempt, or a plan of attempts, to bring a notice to one place.
struct NoticeDelivery: Sendable {
  var id: String
  /// `directory`, `smtp`.
  var channel: String
  var target: String
  var state: String
  var attempts: Int
  var lastAttempt: Timestamp?
  var nextAttempt: Timestamp?
  var failure: String?
}

/// A part of what was sent, as it was sent.
struct NoticePart: Sendable {
  var name: String
  var type: String
  var content: [UInt8]

  /// The content where it is text; nil for seals.
  var text: String? {
    let isText = type.hasPrefix("text/") || type.hasPrefix("application/json")
    return isText ? String(decoding: content, as: UTF8.self) : nil
  }
}

struct NoticeDetail: Sendable {
  var summary: NoticeSummary
  var parts: [NoticePart]
  var deliveries: [NoticeDelivery]
  var cases: [String]
}

/// What the portal asks of casework about notices.
struct NoticeReading: Sendable {
  var notices: @Sendable (TableQuery, Scope) async throws -> Rows<NoticeSummary>
  var detail: @Sendable (String, Scope) async throws -> NoticeDetail?
  /// Does something with a delivery; it has been shown to be one of a notice that the visitor sees.
  var act: @Sendable (String, DeliveryAction, String) async throws -> Void
  var states: [String]
}

/// What a person does with a delivery.
enum DeliveryAction: String, Sendable, CaseIterable {
  /// Tries it again now.
  case retry
  /// Says that one of which nobody knows has arrived.
  case confirm

  /// The states in which it makes sense.
  func suits(_ state: String) -> Bool {
    switch self {
    case .retry: ["pending", "retrying", "failed", "in-doubt"].contains(state)
    case .confirm: state == "in-doubt"
    }
  }
}
