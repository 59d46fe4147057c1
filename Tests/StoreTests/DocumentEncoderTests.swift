import Foundation
import Store
import Testing

@Suite("Documents")
struct DocumentEncoderTests {
  struct Nest: Codable, Hashable {
    var text: String
    var whole: Int64
    var wide: UInt64
    var small: Int8
    var number: Double
    var flag: Bool
    var missing: String?
    var present: Int?
    var words: [String: String]
    var counts: [String: UInt64]
    var list: [String]
    var children: [Nest]
    var grid: [[Int]]
    var choice: Choice
    var gaps: [Int?]
  }

  enum Choice: Codable, Hashable {
    case none
    case one(String)
    case two(first: Int, second: [Bool])
  }

  /// A seeded generator, so that a failure can be repeated.
  struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = state
      word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
      return word ^ (word >> 31)
    }
  }

  private func text(_ dice: inout Dice) -> String {
    let alphabet: [Unicode.Scalar] = [
      "a", "Z", "0", "\"", "\\", "/", "\n", "\r", "\t", "\u{0}", "\u{1}", "\u{8}", "\u{c}",
      "\u{1f}", "\u{7f}", "é", "狼", "煙", "\u{2028}", "🔥", "\u{301}", " ", "{", ",",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...24, using: &dice) {
      text.unicodeScalars.append(alphabet.randomElement(using: &dice) ?? "a")
    }
    return text
  }

  private func nest(_ dice: inout Dice, depth: Int) -> Nest {
    let number: Double =
      switch Int.random(in: 0..<6, using: &dice) {
      case 0: 0
      case 1: -0.0
      case 2: Double(Int32.random(in: .min ... .max, using: &dice))
      case 3: .greatestFiniteMagnitude
      case 4: .leastNonzeroMagnitude
      default: Double.random(in: -1e9...1e9, using: &dice)
      }
    var words: [String: String] = [:]
    var counts: [String: UInt64] = [:]
    for _ in 0..<Int.random(in: 0...5, using: &dice) {
      words[text(&dice)] = text(&dice)
      counts[text(&dice)] = dice.next()
    }
    return Nest(
      text: text(&dice), whole: Int64.random(in: .min ... .max, using: &dice),
      wide: UInt64.random(in: 0 ... .max, using: &dice),
      small: Int8.random(in: .min ... .max, using: &dice), number: number,
      flag: Bool.random(using: &dice), missing: nil,
      present: Bool.random(using: &dice) ? 7 : nil, words: words, counts: counts,
      list: (0..<Int.random(in: 0...3, using: &dice)).map { _ in text(&dice) },
      children: depth == 0
        ? []
        : (0..<Int.random(in: 0...2, using: &dice)).map { _ in nest(&dice, depth: depth - 1) },
      grid: [[], [1, -2], [.min, .max]],
      choice: [.none, .one(text(&dice)), .two(first: 3, second: [true, false])]
        .randomElement(using: &dice) ?? .none,
      gaps: [1, nil, 3])
  }

  @Test("whatever is written is read back by JSONDecoder, as JSONEncoder's text is")
  func roundTrip() throws {
    let encoder = DocumentEncoder()
    var dice = Dice(state: 20_261_125)
    for _ in 0..<300 {
      let value = nest(&dice, depth: 3)
      let document = try encoder.text(of: value)
      #expect(try JSONDecoder().decode(Nest.self, from: Data(document.utf8)) == value)
      let theirs = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
      let ours = try JSONSerialization.jsonObject(with: Data(document.utf8))
      #expect((ours as? NSDictionary) == (theirs as? NSDictionary))
    }
  }

  @Test("members keep their order, dictionaries are sorted, only what must be is escaped")
  func form() throws {
    struct Pair: Encodable {
      var z = "é/\"\\\u{1}"
      var a = 1.0
      var words = ["b": "2", "a": "1", "B": "\n"]
    }
    #expect(
      try DocumentEncoder().text(of: Pair())
        == #"{"z":"é/\"\\\u0001","a":1,"words":{"B":"\n","a":"1","b":"2"}}"#)
    #expect(try DocumentEncoder().text(of: "alone") == #""alone""#)
    #expect(try DocumentEncoder().text(of: [Int]()) == "[]")
    #expect(try DocumentEncoder().text(of: UInt64.max) == "18446744073709551615")
  }

  @Test("numbers that are not finite are refused, and the encoder goes on")
  func notFinite() throws {
    let encoder = DocumentEncoder()
    for number in [Double.nan, .infinity, -.infinity] {
      #expect(throws: EncodingError.self) { try encoder.text(of: ["x": [number]]) }
    }
    #expect(throws: EncodingError.self) { try encoder.text(of: [Float.nan]) }
    #expect(throws: EncodingError.self) { try encoder.text(of: [Date()]) }
    #expect(try encoder.text(of: [1.5]) == "[1.5]")
  }

  class Base: Codable {
    var base = 1
    init() {}
  }
  final class Derived: Base {
    var own = "x"
    override init() { super.init() }
    enum Keys: CodingKey { case own, inner, list, deep }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Keys.self)
      own = try container.decode(String.self, forKey: .own)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      var list = container.nestedUnkeyedContainer(forKey: .list)
      try list.encode(1)
      var inner = list.nestedContainer(keyedBy: Keys.self)
      try inner.encodeNil(forKey: .deep)
      var deep = list.nestedUnkeyedContainer()
      try deep.encode("d")
      try list.encode(UInt8(2))
      try super.encode(to: container.superEncoder())
      try container.encode(own, forKey: .own)
      _ = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
      var again = encoder.container(keyedBy: Keys.self)
      _ = again.superEncoder(forKey: .deep)
    }
  }

  @Test("nested containers and superclasses stand where they belong")
  func nested() throws {
    let document = try DocumentEncoder().text(of: Derived())
    #expect(
      document
        == #"{"list":[1,{"deep":null},["d"],2],"super":{"base":1},"own":"x","inner":{},"deep":{}}"#)
    #expect(try JSONDecoder().decode(Derived.self, from: Data(document.utf8)).own == "x")
  }

  @Test("a container that is used after it was closed is an error")
  func stale() throws {
    struct Stale: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        var inner = container.nestedUnkeyedContainer()
        try container.encode(1)
        try inner.encode(2)
      }
    }
    struct Twice: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(1)
        try container.encode(2)
      }
    }
    struct Both: Encodable {
      func encode(to encoder: any Encoder) throws {
        _ = encoder.unkeyedContainer()
        _ = encoder.container(keyedBy: Derived.Keys.self)
      }
    }
    #expect(throws: EncodingError.self) { try DocumentEncoder().text(of: Stale()) }
    #expect(throws: EncodingError.self) { try DocumentEncoder().text(of: Twice()) }
    #expect(throws: EncodingError.self) { try DocumentEncoder().text(of: Both()) }
  }
}
