/// How an IPFIX exporter numbers its messages.
///
/// RFC 7011 §3.1 has the sequence number count the data records *before* the message, those of options
/// templates among them. softflowd 1.1.0 counts the records of the message as well, and none of options:
/// whoever takes that for the RFC's count sees loss and overtaking wherever two messages differ, though
/// nothing is missing.
///
/// Which way it is, is learnt from messages for which the believed one does not fit what came right
/// before, and another does. Each way finds all loss: a missing record is missing in any count.
struct SequenceCounting {
  /// One way to count.
  struct Way: Hashable {
    /// Whether the sequence number counts the message's own records.
    var includesMessage = false
    var countsOptions = true
  }

  /// What a message holds.
  struct Content {
    var records: UInt32
    var optionsRecords: UInt32

    func count(_ way: Way) -> UInt32 { way.countsOptions ? records : records &- optionsRecords }
  }

  /// What was counted as missing.
  struct Losses {
    var lost: UInt64
    var gaps: UInt64
    var reordered: UInt64
  }

  /// Messages, none of which fits the believed way, before another is believed that all of them fit. Loss
  /// of exactly the difference between two messages looks like another way once; three times it is none.
  /// Our own choice.
  static let evidence = 3

  private static let ways = [
    Way(), Way(includesMessage: true, countsOptions: false), Way(countsOptions: false),
    Way(includesMessage: true),
  ]

  private(set) var way = Way()
  private var last: (sequence: UInt32, content: Content)?
  private var doubts = [Int](repeating: 0, count: Self.ways.count)
  /// Of each way, what had been counted before the first message that speaks for it.
  private var before = [Losses?](repeating: nil, count: Self.ways.count)

  /// Looks at a message. Gives back what had been counted before another way was first spoken for, once
  /// that is believed: what was counted since then was no loss.
  mutating func look(_ sequence: UInt32, _ content: Content, _ losses: Losses) -> Losses? {
    defer { last = (sequence, content) }
    guard let last else {
      // The first message of the RFC's count has the number 0. (If it is not the first after all, and
      // its number so by chance, nothing has been counted yet, and the next messages tell.)
      let own = Way(includesMessage: true, countsOptions: false)
      if content.count(own) > 0, sequence == content.count(own) { way = own }
      return nil
    }
    func fits(_ way: Way) -> Bool {
      sequence
        == last.sequence &+ (way.includesMessage ? content.count(way) : last.content.count(way))
    }
    let isAsBelieved = fits(way)
    for (place, other) in Self.ways.enumerated() where other != way {
      if !fits(other) {
        doubts[place] = 0
      } else if !isAsBelieved {
        if doubts[place] == 0 { before[place] = losses }
        doubts[place] += 1
      }
    }
    guard let place = doubts.firstIndex(where: { $0 >= Self.evidence }) else { return nil }
    way = Self.ways[place]
    let counted = before[place]
    clear()
    return counted
  }

  /// What came before is no longer of use: a message could not be counted, or the exporter restarted.
  mutating func forget() {
    last = nil
    clear()
  }

  private mutating func clear() {
    for place in doubts.indices { doubts[place] = 0 }
  }
}
