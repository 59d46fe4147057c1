import Foundation

/// One value of an answer in JSON.
enum ReplyCell: Sendable {
  case number(UInt64)
  case text(String)

  /// Numbers of 64 bits come as text; negative ones as their bits.
  var number: UInt64? {
    switch self {
    case .number(let value): value
    case .text(let text): UInt64(text) ?? Int64(text).map { UInt64(bitPattern: $0) }
    }
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
}

/// An answer in ClickHouse's format JSONCompact.
struct Reply: Decodable, Sendable {
  struct Statistics: Decodable, Sendable {
    var rowsRead: Int?

    private enum CodingKeys: String, CodingKey { case rowsRead = "rows_read" }
  }

  let rows: [[ReplyCell]]
  /// Rows that there would be without a limit.
  let beforeLimit: Int?
  let rowsRead: Int

  private enum Key: String, CodingKey {
    case data, statistics
    case beforeLimit = "rows_before_limit_at_least"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    rows = try container.decode([[ReplyCell]].self, forKey: .data)
    beforeLimit = try container.decodeIfPresent(Int.self, forKey: .beforeLimit)
    rowsRead =
      try container.decodeIfPresent(Statistics.self, forKey: .statistics)?.rowsRead ?? 0
  }
}

extension ReplyCell: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else {
      self = .number(try container.decode(UInt64.self))
    }
  }
}
