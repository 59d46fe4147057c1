/// Writes the Thrift compact protocol (thrift/doc/specs/thrift-compact-protocol.md), as far as Parquet
/// uses it. Fields must be written in ascending order of their numbers.
struct ThriftWriter: ~Copyable {
  var sink = OctetSink()
  private var last: [Int16] = [0]

  init() {}

  private mutating func header(_ field: Int16, _ type: ThriftType) {
    let delta = field - last[last.count - 1]
    if (1...15).contains(delta) {
      sink.append(UInt8(delta) << 4 | type.rawValue)
    } else {
      sink.append(type.rawValue)
      sink.append(zigzag: Int64(field))
    }
    last[last.count - 1] = field
  }

  mutating func boolean(_ field: Int16, _ value: Bool) {
    header(field, value ? .yes : .no)
  }

  mutating func int8(_ field: Int16, _ value: Int8) {
    header(field, .int8)
    sink.append(UInt8(bitPattern: value))
  }

  mutating func int32(_ field: Int16, _ value: Int32) {
    header(field, .int32)
    sink.append(zigzag: Int64(value))
  }

  mutating func int64(_ field: Int16, _ value: Int64) {
    header(field, .int64)
    sink.append(zigzag: value)
  }

  mutating func text(_ field: Int16, _ value: String) {
    binary(field, Array(value.utf8))
  }

  mutating func binary(_ field: Int16, _ value: [UInt8]) {
    header(field, .binary)
    element(value)
  }

  /// Begins a list field; its elements follow.
  mutating func list(_ field: Int16, of type: ThriftType, count: Int) {
    header(field, .list)
    if count < 15 {
      sink.append(UInt8(count) << 4 | type.rawValue)
    } else {
      sink.append(0xf0 | type.rawValue)
      sink.append(varint: UInt64(count))
    }
  }

  mutating func element(_ value: [UInt8]) {
    sink.append(varint: UInt64(value.count))
    sink.append(value.span.bytes)
  }

  mutating func element(_ value: Int32) {
    sink.append(zigzag: Int64(value))
  }

  /// A struct as a field.
  mutating func structure(_ field: Int16, _ body: (inout ThriftWriter) -> Void) {
    header(field, .structure)
    structure(body)
  }

  /// A struct as a list's element or as the whole document.
  mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    last.append(0)
    body(&self)
    last.removeLast()
    sink.append(0)
  }
}

enum ThriftType: UInt8 {
  case stop = 0
  case yes, no, int8, int16, int32, int64, double, binary, list, set, map, structure
}

/// Reads the Thrift compact protocol from untrusted octets: every length is checked against what is
/// left, and the nesting is bounded.
struct ThriftReader: ~Escapable {
  private let bytes: RawSpan
  /// Where `bytes` begin in the file, for errors.
  private let start: UInt64
  private(set) var position = 0
  private var depth = 0
  private static let maximumDepth = 16

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, start: UInt64) {
    self.bytes = bytes
    self.start = start
  }

  func damaged(_ expected: String) -> ParquetError {
    .damaged(offset: start &+ UInt64(position), expected: expected)
  }

  private mutating func octet() throws(ParquetError) -> UInt8 {
    guard position < bytes.byteCount else { throw damaged("more of the metadata") }
    defer { position += 1 }
    return bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
  }

  private mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = try octet()
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
    }
    throw damaged("a number of at most ten octets")
  }

  private mutating func zigzag() throws(ParquetError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Reads a struct: `body` gets each field's number and type, and must read it or skip it.
  mutating func structure(
    _ body: (inout ThriftReader, Int16, ThriftType) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    guard depth < Self.maximumDepth else { throw damaged("less deeply nested metadata") }
    depth += 1
    defer { depth -= 1 }
    var field: Int16 = 0
    while true {
      let header = try octet()
      if header == 0 { return }
      guard let type = ThriftType(rawValue: header & 15), type != .stop else {
        throw damaged("a field type of 1 to 12")
      }
      if header >> 4 == 0 {
        field = Int16(truncatingIfNeeded: try zigzag())
      } else {
        field &+= Int16(header >> 4)
      }
      try body(&self, field, type)
    }
  }

  mutating func boolean(_ type: ThriftType) throws(ParquetError) -> Bool {
    guard type == .yes || type == .no else { throw damaged("a boolean") }
    return type == .yes
  }

  mutating func integer(_ type: ThriftType) throws(ParquetError) -> Int64 {
    switch type {
    case .int8: return Int64(Int8(bitPattern: try octet()))
    case .int16, .int32, .int64: return try zigzag()
    default: throw damaged("an integer")
    }
  }

  mutating func int32(_ type: ThriftType) throws(ParquetError) -> Int32 {
    guard let value = Int32(exactly: try integer(type)) else {
      throw damaged("an integer of 32 bits")
    }
    return value
  }

  mutating func binary(_ type: ThriftType) throws(ParquetError) -> [UInt8] {
    guard type == .binary else { throw damaged("octets") }
    let range = try binaryRange()
    return bytes.octets(range)
  }

  mutating func text(_ type: ThriftType) throws(ParquetError) -> String {
    String(decoding: try binary(type), as: UTF8.self)
  }

  private mutating func binaryRange() throws(ParquetError) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(bytes.byteCount - position) else {
      throw damaged("octets no longer than the metadata, not \(length)")
    }
    defer { position += Int(length) }
    return position..<position + Int(length)
  }

  /// The elements' type and number; each takes at least one octet.
  mutating func list(_ type: ThriftType) throws(ParquetError) -> (type: ThriftType, count: Int) {
    guard type == .list || type == .set else { throw damaged("a list") }
    let header = try octet()
    guard let element = ThriftType(rawValue: header & 15), element != .stop else {
      throw damaged("an element type of 1 to 12")
    }
    let count = header >> 4 == 15 ? try varint() : UInt64(header >> 4)
    guard count <= UInt64(bytes.byteCount - position) else {
      throw damaged("a list no longer than the metadata, not \(count)")
    }
    return (element, Int(count))
  }

  /// Passes over a value of any type.
  mutating func skip(_ type: ThriftType, isElement: Bool = false) throws(ParquetError) {
    switch type {
    case .stop: throw damaged("a value")
    case .yes, .no: if isElement { _ = try octet() }
    case .int8: _ = try octet()
    case .int16, .int32, .int64: _ = try varint()
    case .double:
      guard bytes.byteCount - position >= 8 else { throw damaged("a number of eight octets") }
      position += 8
    case .binary: _ = try binaryRange()
    case .list, .set:
      guard depth < Self.maximumDepth else { throw damaged("less deeply nested metadata") }
      depth += 1
      defer { depth -= 1 }
      let (element, count) = try list(type)
      for _ in 0..<count { try skip(element, isElement: true) }
    case .map:
      guard depth < Self.maximumDepth else { throw damaged("less deeply nested metadata") }
      depth += 1
      defer { depth -= 1 }
      let count = try varint()
      guard count <= UInt64(bytes.byteCount - position) else { throw damaged("a shorter map") }
      guard count > 0 else { return }
      let types = try octet()
      guard let key = ThriftType(rawValue: types >> 4), let value = ThriftType(rawValue: types & 15)
      else { throw damaged("types of 1 to 12") }
      for _ in 0..<count {
        try skip(key, isElement: true)
        try skip(value, isElement: true)
      }
    case .structure:
      try structure { reader, _, type throws(ParquetError) in try reader.skip(type) }
    }
  }
}
