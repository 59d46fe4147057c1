import Foundation

/// Writes values as compact JSON (RFC 8259) straight into one buffer: several times as fast as
/// Foundation's `JSONEncoder`, which builds a tree first.
///
/// Members stand in the order in which a value encodes them, so equal values give equal texts;
/// dictionaries of strings and of unsigned numbers by string rise by their keys' octets, others come
/// in the order in which they are walked. `JSONDecoder` reads it back. Numbers that are not finite,
/// and the types of Foundation that `JSONDecoder` reads in a way of its own, are refused.
///
/// An encoder serves one thread at a time, and keeps its buffer from one value to the next.
///
/// ```swift
/// let encoder = DocumentEncoder()
/// let texts = try hosts.map { try encoder.text(of: $0) }
/// ```
public final class DocumentEncoder {
  private let writer = DocumentWriter()

  public init() {}

  /// A value's JSON.
  ///
  /// - Throws: `EncodingError.invalidValue`, or what the value's own `encode(to:)` throws.
  public func text(of value: some Encodable) throws -> String {
    writer.bytes.removeAll(keepingCapacity: true)
    writer.levels.removeAll(keepingCapacity: true)
    writer.failure = nil
    let place = writer.open(.slot, key: nil)
    try writer.write(value, into: place)
    writer.close(downTo: 0)
    if let failure = writer.failure { throw failure }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

/// The text while it grows, and what is open at its end: an object in an array in an object.
///
/// Whoever holds a container has a ``Place``. Writing through one closes what was opened inside it
/// since; writing through one that was closed is a mistake of the value's `encode(to:)` and an error.
final class DocumentWriter {
  enum Kind {
    /// Where a value is to be written; untouched it becomes `{}`.
    case slot
    case object
    case array
    /// A value that is neither was written.
    case done
  }

  struct Level {
    var kind: Kind
    var serial: Int
    /// Members or elements so far.
    var count = 0
    var key: (any CodingKey)?
  }

  struct Place {
    let level: Int
    let serial: Int
  }

  // One thread at a time writes and no method calls out while it changes them: the checks for
  // overlapping accesses would take a good part of the time.
  @exclusivity(unchecked) var bytes: [UInt8] = []
  @exclusivity(unchecked) var levels: [Level] = []
  @exclusivity(unchecked) private var serial = 0
  /// The first mistake that could not be thrown where it was made.
  @exclusivity(unchecked) var failure: EncodingError?

  // MARK: Levels

  /// Opens a level in the innermost one, where its separator and key stand already.
  func open(_ kind: Kind, key: (any CodingKey)?) -> Place {
    serial &+= 1
    levels.append(Level(kind: kind, serial: serial, key: key))
    return Place(level: levels.count - 1, serial: serial)
  }

  /// Closes what is open inside of the first `count` levels.
  func close(downTo count: Int) {
    while levels.count > count {
      let level = levels.removeLast()
      switch level.kind {
      case .slot: JSONText.append(word: "{}", to: &bytes)
      case .object: bytes.append(UInt8(ascii: "}"))
      case .array: bytes.append(UInt8(ascii: "]"))
      case .done: break
      }
    }
  }

  /// Makes a place the innermost open one.
  func reach(_ place: Place) throws {
    guard place.level < levels.count, levels[place.level].serial == place.serial else {
      throw Self.mistake("a container was used after another one", path(place))
    }
    if levels.count > place.level + 1 { close(downTo: place.level + 1) }
  }

  /// Turns the slot at a place into an object or array; twice is the same as once.
  func become(_ kind: Kind, _ place: Place) {
    guard place.level < levels.count, levels[place.level].serial == place.serial else {
      fail("an encoder was used after another one", place)
      return
    }
    if levels[place.level].kind == .slot {
      levels[place.level].kind = kind
      bytes.append(UInt8(ascii: kind == .object ? "{" : "["))
    } else if levels[place.level].kind != kind {
      fail("a value was encoded twice", place)
    }
  }

  /// Begins the next member of an object.
  func begin(_ key: some CodingKey, in place: Place) throws {
    try reach(place)
    if levels[place.level].count > 0 { bytes.append(UInt8(ascii: ",")) }
    levels[place.level].count &+= 1
    JSONText.append(key.stringValue, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  /// Begins the next element of an array.
  func begin(in place: Place) throws {
    try reach(place)
    if levels[place.level].count > 0 { bytes.append(UInt8(ascii: ",")) }
    levels[place.level].count &+= 1
  }

  /// Begins the one value of a slot.
  func begin(single place: Place) throws {
    try reach(place)
    guard levels[place.level].kind == .slot else {
      throw Self.mistake("a value was encoded twice", path(place))
    }
    levels[place.level].kind = .done
  }

  func count(_ place: Place) -> Int {
    guard place.level < levels.count, levels[place.level].serial == place.serial else { return 0 }
    return levels[place.level].count
  }

  // MARK: Values

  /// Writes a value into a slot, which is closed then.
  func write<Value: Encodable>(_ value: Value, into place: Place) throws {
    if Value.self == [String: String].self, let members = value as? [String: String] {
      try begin(single: place)
      JSONText.append(members, to: &bytes)
    } else if Value.self == [String: UInt64].self, let members = value as? [String: UInt64] {
      try begin(single: place)
      JSONText.append(members, to: &bytes) { JSONText.append($0, to: &$1) }
    } else if Value.self == Data.self || Value.self == Date.self || Value.self == URL.self
      || Value.self == Decimal.self
    {
      throw EncodingError.invalidValue(
        value,
        .init(codingPath: path(place), debugDescription: "\(Value.self) has no form in a document"))
    } else {
      try value.encode(to: SlotEncoder(writer: self, place: place))
    }
    close(downTo: place.level)
  }

  func write(_ number: Double, _ place: Place) throws {
    guard number.isFinite else { throw Self.infinite(number, path(place)) }
    writeDescription(number.description)
  }

  func write(_ number: Float, _ place: Place) throws {
    guard number.isFinite else { throw Self.infinite(number, path(place)) }
    writeDescription(number.description)
  }

  /// A whole number loses its `.0`, as `JSONEncoder` writes it.
  private func writeDescription(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if text.utf8.count > 2, bytes.suffix(2).elementsEqual([UInt8(ascii: "."), 48]) {
      bytes.removeLast(2)
    }
  }

  func write(_ flag: Bool) {
    if flag {
      JSONText.append(word: "true", to: &bytes)
    } else {
      JSONText.append(word: "false", to: &bytes)
    }
  }

  func writeNull() { JSONText.append(word: "null", to: &bytes) }

  // MARK: Mistakes

  func path(_ place: Place) -> [any CodingKey] {
    levels.prefix(place.level + 1).compactMap(\.key)
  }

  func fail(_ reason: String, _ place: Place) {
    failure = failure ?? Self.mistake(reason, path(place))
  }

  private static func mistake(_ reason: String, _ path: [any CodingKey]) -> EncodingError {
    .invalidValue(reason, .init(codingPath: path, debugDescription: reason))
  }

  private static func infinite(_ number: Any, _ path: [any CodingKey]) -> EncodingError {
    .invalidValue(
      number, .init(codingPath: path, debugDescription: "\(number) is no number of JSON"))
  }
}
