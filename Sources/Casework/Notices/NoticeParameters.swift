import Foundation
import NetworkTypes

/// Who sends notices, as they name it.
public struct NoticeSender: Hashable, Sendable {
  public var name: String
  public var nameJa: String
  public var from: Mailbox
  /// Where answers go, if not to ``from``.
  public var replyTo: Mailbox?
  /// Lines that say how to reach the sender, in English and in Japanese (問い合わせ先).
  public var contact: [String]
  public var contactJa: [String]

  public init(
    name: String, nameJa: String, from: Mailbox, replyTo: Mailbox? = nil, contact: [String] = [],
    contactJa: [String] = []
  ) {
    self.name = name
    self.nameJa = nameJa
    self.from = from
    self.replyTo = replyTo
    self.contact = contact
    self.contactJa = contactJa
  }
}

/// The numbers that decide what is told when.
public struct NoticeParameters: Hashable, Sendable {
  public var sender: NoticeSender
  /// What texts say of the seals; nil where notices leave without.
  public var seal: NoticeSealWords?
  /// Minutes after local midnight, 0..<1440, at which daily and weekly notices are due; 09:00, when an
  /// abuse desk begins its day.
  public var dailyAt: Int = 540
  /// A zone of the tz database, for ``dailyAt``, notice numbers and the local times in texts.
  public var timeZone: String = "Asia/Tokyo"
  /// Days after which an open case that is still seen is told again, 0 each time. AbuseIO's
  /// `abuse_interval` is 0 and its `info_interval` 90 days; 7 is our own choice: users need days to
  /// act, and a second reminder within the 14 days of `dueDays` still helps.
  public var repeatDays: Double = 7
  /// How many cases the text lists when a table is attached; a mail past this is not read (our own
  /// choice). Without a table all are listed.
  public var listedCases: Int = 50
  /// The newest findings of a case that tables and reports hold.
  public var findingsPerCase: Int = 50
  /// Cases of one notice; more make several. XARF and mail systems take some 10 MB (our own choice).
  public var casesPerNotice: Int = 2_000

  public init(sender: NoticeSender) { self.sender = sender }
}

/// Moments as a reader in some zone writes them.
struct LocalTime: Sendable {
  private let zone: TimeZone
  private let isJapan: Bool

  /// An unknown name is UTC; the configuration refuses it before.
  init(_ identifier: String) {
    zone = TimeZone(identifier: identifier) ?? .gmt
    isJapan = identifier == "Asia/Tokyo" || identifier == "Japan"
  }

  func offset(at moment: Timestamp) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds)))
  }

  /// `2026-11-25 09:00:00`.
  static func plain(_ moment: Timestamp, offset: Int = 0) -> String {
    String(moment.advanced(bySeconds: Double(offset)).description.prefix(19))
      .replacing("T", with: " ")
  }

  /// `2026-11-25 09:00:00 JST`, `2026-11-25 01:00:00 +01:00`.
  func local(_ moment: Timestamp) -> String {
    let offset = offset(at: moment)
    return Self.plain(moment, offset: offset) + " " + name(offset)
  }

  /// `20261125`: the local day.
  func day(_ moment: Timestamp) -> String {
    String(Self.plain(moment, offset: offset(at: moment)).prefix(10).replacing("-", with: ""))
  }

  private func name(_ offset: Int) -> String {
    if isJapan { return "JST" }
    if offset == 0 { return "UTC" }
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    let minutes = abs(offset) / 60
    return (offset < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60)
  }

  /// The last moment at or before `moment` at which notices of an interval are due: multiples of the
  /// interval counted from the local ``NoticeParameters/dailyAt`` of a Monday.
  func slot(atOrBefore moment: Timestamp, interval: Int, dailyAt minutes: Int) -> Timestamp {
    guard interval > 0 else { return moment }
    let offset = Int64(offset(at: moment))
    // 1970-01-05 was a Monday: weekly notices come on Mondays.
    let origin = 4 * 86_400 + Int64(minutes) * 60 - offset
    let elapsed = moment.seconds - origin
    let step = Int64(interval)
    let slots = elapsed >= 0 ? elapsed / step : (elapsed - step + 1) / step
    return Timestamp(seconds: origin + slots * step)
  }
}
