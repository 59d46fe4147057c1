public import Constituency
public import NetworkTypes

/// The bringing of one notice to one recipient (配送).
public struct Delivery: Hashable, Sendable, Identifiable {
  /// `N-20261125-0001-1`: the notice's number and the recipient's place.
  public let id: String
  /// The identifier of the notice.
  public let notice: String
  public let organisation: String
  public let channel: DeliveryPreferences.Channel
  /// A mail address, or the organisation's identifier, which names its folder.
  public let target: String
  public let language: Language
  public let state: State
  public let attempts: Int
  public let lastAttempt: Timestamp?
  /// When it is tried next; nil when nothing more happens by itself.
  public let nextAttempt: Timestamp?
  public let delivered: Timestamp?
  /// Why it is not delivered, in the server's or the system's words.
  public let failure: String?
  /// Without angle brackets; the same for every attempt.
  public let messageID: String

  /// Where a delivery stands. Raw values are stable.
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    /// Made, and waits for the seals of the notice.
    case unsealed
    /// Not tried yet.
    case pending
    /// Being tried now.
    case sending
    /// Tried, refused for now, and tried again at ``Delivery/nextAttempt``.
    case retrying
    /// The mail was sent and no answer was seen: it may have arrived. A person decides.
    case inDoubt = "in-doubt"
    case delivered
    /// Refused for good, or too old.
    case failed
  }
}

/// One try.
public struct DeliveryAttempt: Hashable, Sendable, Identifiable {
  public let id: Int64
  public let delivery: String
  /// From 1.
  public let number: Int
  public let began: Timestamp
  /// Nil while it runs.
  public let ended: Timestamp?
  /// Whether it was recorded that from here on the notice may have arrived.
  public let transmitted: Bool
  public let outcome: Outcome
  public let words: String?

  public enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
    case running, accepted, temporary, permanent, unknown
    /// The process ended in the middle.
    case interrupted
  }
}

/// What to do with a mail of which nobody knows whether it arrived.
public enum InDoubtPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// A person looks (the Message-ID is known) and retries or confirms.
  case hold
  /// It is sent again with the same Message-ID: rather twice than never.
  case resend
}

/// The numbers that decide when a delivery is tried again and given up.
public struct DeliveryParameters: Hashable, Sendable {
  /// Seconds to the second try. Postfix's `minimal_backoff_time` is 300; greylisting asks as much.
  public var firstRetry: Double = 300
  /// The longest pause. RFC 5321 §4.5.4.1: after the first hour every two or three hours.
  public var longestRetry: Double = 10_800
  /// Each pause is up to this share longer or shorter, so that many do not return at once.
  public var jitter: Double = 0.2
  /// Days after which it is given up: 4-5 by RFC 5321 §4.5.4.1.
  public var maximumAgeDays: Double = 5
  /// Feeds the jitter, which is the same for the same seed, delivery and attempt.
  public var seed: UInt64 = 0x6e6f_726f_7368_6931
  public var inDoubt = InDoubtPolicy.hold
  /// Deliveries at the same time.
  public var concurrency = 4

  public init() {}

  /// The pause after so many attempts: doubled each time, within ``longestRetry``, jittered.
  func pause(after attempts: Int, of delivery: String) -> Double {
    let doublings = Double(min(max(attempts - 1, 0), 30))
    var pause = firstRetry
    for _ in 0..<Int(doublings) where pause < longestRetry { pause *= 2 }
    // FNV-1a (Fowler, Noll, Vo): a spread, not a secret.
    var hash = 0xcbf2_9ce4_8422_2325 ^ seed
    for octet in "\(delivery)#\(attempts)".utf8 {
      hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3
    }
    hash ^= hash >> 32
    let share = Double(hash & 0xffff_ffff) / Double(UInt32.max) * 2 - 1
    return max(1, min(pause, longestRetry) * (1 + jitter * share))
  }
}

/// Where tests break a delivery off: every place after which the world has changed.
enum DeliveryPoint: String, CaseIterable, Codable, Sendable {
  case claimed, filesWritten, marked, filePublished, sent, settled
}
