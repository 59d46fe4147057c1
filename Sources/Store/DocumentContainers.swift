/// The encoder that a value gets: a slot of the text, three words that need no memory of their own.
struct SlotEncoder: Encoder {
  let writer: DocumentWriter
  let place: DocumentWriter.Place

  var codingPath: [any CodingKey] { writer.path(place) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    writer.become(.object, place)
    return KeyedEncodingContainer(ObjectContainer<Key>(writer: writer, place: place))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    writer.become(.array, place)
    return ArrayContainer(writer: writer, place: place)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SlotContainer(writer: writer, place: place)
  }
}

/// The one value of a slot.
struct SlotContainer: SingleValueEncodingContainer {
  let writer: DocumentWriter
  let place: DocumentWriter.Place

  var codingPath: [any CodingKey] { writer.path(place) }

  mutating func encodeNil() throws {
    try writer.begin(single: place)
    writer.writeNull()
  }

  mutating func encode(_ value: Bool) throws {
    try writer.begin(single: place)
    writer.write(value)
  }

  mutating func encode(_ value: String) throws {
    try writer.begin(single: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Double) throws {
    try writer.begin(single: place)
    try writer.write(value, place)
  }

  mutating func encode(_ value: Float) throws {
    try writer.begin(single: place)
    try writer.write(value, place)
  }

  private func whole(_ value: some FixedWidthInteger) throws {
    try writer.begin(single: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Int) throws { try whole(value) }
  mutating func encode(_ value: Int8) throws { try whole(value) }
  mutating func encode(_ value: Int16) throws { try whole(value) }
  mutating func encode(_ value: Int32) throws { try whole(value) }
  mutating func encode(_ value: Int64) throws { try whole(value) }
  mutating func encode(_ value: Int128) throws { try whole(value) }
  mutating func encode(_ value: UInt) throws { try whole(value) }
  mutating func encode(_ value: UInt8) throws { try whole(value) }
  mutating func encode(_ value: UInt16) throws { try whole(value) }
  mutating func encode(_ value: UInt32) throws { try whole(value) }
  mutating func encode(_ value: UInt64) throws { try whole(value) }
  mutating func encode(_ value: UInt128) throws { try whole(value) }

  mutating func encode<Value: Encodable>(_ value: Value) throws {
    try writer.begin(single: place)
    try writer.write(value, into: writer.open(.slot, key: nil))
  }
}

/// The elements of an array.
struct ArrayContainer: UnkeyedEncodingContainer {
  let writer: DocumentWriter
  let place: DocumentWriter.Place

  var codingPath: [any CodingKey] { writer.path(place) }
  var count: Int { writer.count(place) }

  mutating func encodeNil() throws {
    try writer.begin(in: place)
    writer.writeNull()
  }

  mutating func encode(_ value: Bool) throws {
    try writer.begin(in: place)
    writer.write(value)
  }

  mutating func encode(_ value: String) throws {
    try writer.begin(in: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Double) throws {
    try writer.begin(in: place)
    try writer.write(value, place)
  }

  mutating func encode(_ value: Float) throws {
    try writer.begin(in: place)
    try writer.write(value, place)
  }

  private func whole(_ value: some FixedWidthInteger) throws {
    try writer.begin(in: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Int) throws { try whole(value) }
  mutating func encode(_ value: Int8) throws { try whole(value) }
  mutating func encode(_ value: Int16) throws { try whole(value) }
  mutating func encode(_ value: Int32) throws { try whole(value) }
  mutating func encode(_ value: Int64) throws { try whole(value) }
  mutating func encode(_ value: Int128) throws { try whole(value) }
  mutating func encode(_ value: UInt) throws { try whole(value) }
  mutating func encode(_ value: UInt8) throws { try whole(value) }
  mutating func encode(_ value: UInt16) throws { try whole(value) }
  mutating func encode(_ value: UInt32) throws { try whole(value) }
  mutating func encode(_ value: UInt64) throws { try whole(value) }
  mutating func encode(_ value: UInt128) throws { try whole(value) }

  mutating func encode<Value: Encodable>(_ value: Value) throws {
    try writer.begin(in: place)
    try writer.write(value, into: writer.open(.slot, key: nil))
  }

  mutating func nestedContainer<Key: CodingKey>(
    keyedBy type: Key.Type
  ) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(ObjectContainer<Key>(writer: writer, place: nested(.object)))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    ArrayContainer(writer: writer, place: nested(.array))
  }

  mutating func superEncoder() -> any Encoder {
    SlotEncoder(writer: writer, place: nested(.slot))
  }

  private func nested(_ kind: DocumentWriter.Kind) -> DocumentWriter.Place {
    writer.nested(kind, key: nil, place) { try writer.begin(in: place) }
  }
}

/// The members of an object.
struct ObjectContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let writer: DocumentWriter
  let place: DocumentWriter.Place

  var codingPath: [any CodingKey] { writer.path(place) }

  mutating func encodeNil(forKey key: Key) throws {
    try writer.begin(key, in: place)
    writer.writeNull()
  }

  mutating func encode(_ value: Bool, forKey key: Key) throws {
    try writer.begin(key, in: place)
    writer.write(value)
  }

  mutating func encode(_ value: String, forKey key: Key) throws {
    try writer.begin(key, in: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Double, forKey key: Key) throws {
    try writer.begin(key, in: place)
    try writer.write(value, place)
  }

  mutating func encode(_ value: Float, forKey key: Key) throws {
    try writer.begin(key, in: place)
    try writer.write(value, place)
  }

  private func whole(_ value: some FixedWidthInteger, _ key: Key) throws {
    try writer.begin(key, in: place)
    JSONText.append(value, to: &writer.bytes)
  }

  mutating func encode(_ value: Int, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: Int8, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: Int16, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: Int32, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: Int64, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: Int128, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt8, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt16, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt32, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt64, forKey key: Key) throws { try whole(value, key) }
  mutating func encode(_ value: UInt128, forKey key: Key) throws { try whole(value, key) }

  mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try writer.begin(key, in: place)
    try writer.write(value, into: writer.open(.slot, key: key))
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(ObjectContainer<Nested>(writer: writer, place: nested(.object, key)))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    ArrayContainer(writer: writer, place: nested(.array, key))
  }

  mutating func superEncoder() -> any Encoder {
    SlotEncoder(writer: writer, place: nested(.slot, SuperKey()))
  }

  mutating func superEncoder(forKey key: Key) -> any Encoder {
    SlotEncoder(writer: writer, place: nested(.slot, key))
  }

  private func nested(
    _ kind: DocumentWriter.Kind, _ key: some CodingKey
  ) -> DocumentWriter.Place {
    writer.nested(kind, key: key, place) { try writer.begin(key, in: place) }
  }
}

/// Under which a superclass stands where no key is named.
private struct SuperKey: CodingKey {
  var stringValue: String { "super" }
  var intValue: Int? { nil }
  init() {}
  init?(stringValue: String) { nil }
  init?(intValue: Int) { nil }
}

extension DocumentWriter {
  /// Opens a level inside a container; a container that was closed gives one that is closed too.
  fileprivate func nested(
    _ kind: Kind, key: (any CodingKey)?, _ place: Place, begin: () throws -> Void
  ) -> Place {
    do {
      try begin()
    } catch {
      fail("a container was used after another one", place)
      return Place(level: .max - 1, serial: 0)
    }
    let inner = open(.slot, key: key)
    if kind != .slot { become(kind, inner) }
    return inner
  }
}
