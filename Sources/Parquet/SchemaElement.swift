/// `SchemaElement` of parquet.thrift: a node of the schema's tree, in depth-first order.
struct SchemaElement: Hashable, Sendable {
  var name = ""
  var physicalCode: Int32?
  var typeLength: Int32?
  /// 0 required, 1 optional, 2 repeated.
  var repetition: Int32?
  var childCount: Int32?
  var convertedType: Int32?
  var logicalType: LogicalType?
  /// Whether it has a logical type that is not known here.
  var isForeign = false

  init() {}

  /// The root of a flat schema.
  init(rootOf count: Int) {
    name = "schema"
    childCount = Int32(count)
  }

  init(_ column: ParquetColumn) {
    name = column.name
    physicalCode = column.physicalType.code
    if case .fixedLengthByteArray(let length) = column.physicalType { typeLength = Int32(length) }
    repetition = column.isOptional ? 1 : 0
    logicalType = column.logicalType
    convertedType =
      switch column.logicalType {
      case nil, .timestamp(.nanoseconds): nil
      case .string: 0
      case .date: 6
      case .timestamp(.milliseconds): 9
      case .timestamp(.microseconds): 10
      case .integer(let bits, let isSigned):
        (isSigned ? 15 : 11) + Int32(bits.trailingZeroBitCount - 3)
      }
  }

  func write(to writer: inout ThriftWriter) {
    writer.structure { writer in
      if let physicalCode { writer.int32(1, physicalCode) }
      if let typeLength { writer.int32(2, typeLength) }
      if let repetition { writer.int32(3, repetition) }
      writer.text(4, name)
      if let childCount { writer.int32(5, childCount) }
      if let convertedType { writer.int32(6, convertedType) }
      guard let logicalType else { return }
      writer.structure(10) { writer in
        switch logicalType {
        case .string: writer.structure(1) { _ in }
        case .date: writer.structure(6) { _ in }
        case .timestamp(let unit):
          writer.structure(8) { writer in
            writer.boolean(1, true)
            writer.structure(2) { writer in
              switch unit {
              case .milliseconds: writer.structure(1) { _ in }
              case .microseconds: writer.structure(2) { _ in }
              case .nanoseconds: writer.structure(3) { _ in }
              }
            }
          }
        case .integer(let bits, let isSigned):
          writer.structure(10) { writer in
            writer.int8(1, Int8(bits))
            writer.boolean(2, isSigned)
          }
        }
      }
    }
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var read = Self()
    var hasName = false
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 1: read.physicalCode = try reader.int32(type)
      case 2: read.typeLength = try reader.int32(type)
      case 3: read.repetition = try reader.int32(type)
      case 4:
        read.name = try reader.text(type)
        hasName = true
      case 5: read.childCount = try reader.int32(type)
      case 6: read.convertedType = try reader.int32(type)
      case 10: try read.readLogicalType(&reader)
      default: try reader.skip(type)
      }
    }
    guard hasName else { throw reader.damaged("a schema element with a name") }
    if read.logicalType == nil, let converted = read.convertedType {
      switch converted {
      case 0: read.logicalType = .string
      case 6: read.logicalType = .date
      case 9: read.logicalType = .timestamp(.milliseconds)
      case 10: read.logicalType = .timestamp(.microseconds)
      case 11...14: read.logicalType = .integer(bits: 8 << Int(converted - 11), isSigned: false)
      case 15...18: read.logicalType = .integer(bits: 8 << Int(converted - 15), isSigned: true)
      default: read.isForeign = true
      }
    }
    self = read
  }

  private mutating func readLogicalType(_ reader: inout ThriftReader) throws(ParquetError) {
    var found: LogicalType?
    var foreign = false
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 1:
        found = .string
        try reader.skip(type)
      case 6:
        found = .date
        try reader.skip(type)
      case 8:
        try reader.structure { reader, field, type throws(ParquetError) in
          guard field == 2, type == .structure else { return try reader.skip(type) }
          try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: found = .timestamp(.milliseconds)
            case 2: found = .timestamp(.microseconds)
            case 3: found = .timestamp(.nanoseconds)
            default: foreign = true
            }
            try reader.skip(type)
          }
        }
      case 10:
        var bits: Int64 = 0
        var isSigned = false
        try reader.structure { reader, field, type throws(ParquetError) in
          switch field {
          case 1: bits = try reader.integer(type)
          case 2: isSigned = try reader.boolean(type)
          default: try reader.skip(type)
          }
        }
        guard [8, 16, 32, 64].contains(bits) else {
          throw reader.damaged("an integer type of 8, 16, 32 or 64 bits")
        }
        found = .integer(bits: Int(bits), isSigned: isSigned)
      default:
        foreign = true
        try reader.skip(type)
      }
    }
    logicalType = found
    isForeign = foreign
  }

  /// The flat column that a leaf directly under the root stands for; nil if it is not read here.
  var column: ParquetColumn? {
    guard let physicalCode, let repetition, repetition == 0 || repetition == 1 else { return nil }
    let physical: PhysicalType
    switch physicalCode {
    case 0: physical = .boolean
    case 1: physical = .int32
    case 2: physical = .int64
    case 4: physical = .float
    case 5: physical = .double
    case 6: physical = .byteArray
    case 7:
      guard let typeLength, (1...1_048_576).contains(typeLength) else { return nil }
      physical = .fixedLengthByteArray(Int(typeLength))
    default: return nil
    }
    let column = ParquetColumn(name, physical, logicalType, isOptional: repetition == 1)
    // A meaning that does not fit the storage is left out; the stored values are still values.
    return column.fault == nil
      ? column : ParquetColumn(name, physical, nil, isOptional: repetition == 1)
  }
}
