import FlowRecords
import NetworkTypes
import Parquet

/// Appends a block's rows, sorted, to a file as one row group.
struct BlockEncoding {
  private var sorting = BlockSorting()

  mutating func write(_ block: RowBlock, to writer: ParquetWriter) throws(ParquetError) {
    let count = block.count
    guard count > 0 else { return }
    if !block.has(.sourceAddress) {
      sorting.sort([UInt32](repeating: 0, count: count).span)
    } else if block.isWide(.sourceAddress) {
      sorting.sort(block.values(.sourceAddress, as: UInt128.self))
    } else {
      sorting.sort(block.values(.sourceAddress, as: UInt32.self))
    }
    let order = sorting.order
    try writer.beginRowGroup(rows: count)
    var place = 0
    for column in FlowColumn.allCases
    where writer.schema.indices.contains(place) && writer.schema[place].name == Self.name(column) {
      if column == .exporter {
        try appendExporters(block, order, to: writer)
        place += 2
      } else if column.kind == .address {
        try appendAddresses(block, column, order, to: writer)
        place += 2
      } else {
        try append(block, column, order, to: writer)
        place += 1
      }
    }
    try writer.finishRowGroup()
  }

  private static func name(_ column: FlowColumn) -> String {
    column.kind == .address ? ArchiveSchema.addressName(column, isIPv4: true) : column.name
  }

  private func append(
    _ block: RowBlock, _ column: FlowColumn, _ order: [UInt32], to writer: ParquetWriter
  ) throws(ParquetError) {
    let order = order.span
    guard block.has(column) else {
      if ArchiveSchema.always.contains(column) {
        try writer.appendChunk { $0.append(repeating: 0, count: order.count) }
      } else {
        try writer.appendChunkOfNulls()
      }
      return
    }
    switch block.width(column) {
    case 1:
      try writer.appendChunk(gathering: block.values(column, as: UInt8.self), order: order)
    case 2:
      try writer.appendChunk(gathering: block.values(column, as: UInt16.self), order: order)
    case 4:
      try writer.appendChunk(
        gathering: block.values(column, as: UInt32.self), plus: block.base(column), order: order)
    default:
      if column.kind == .time {
        try writer.appendChunk(gathering: block.values(column, as: Int64.self), order: order)
      } else {
        try writer.appendChunk(gathering: block.values(column, as: UInt64.self), order: order)
      }
    }
  }

  private func appendAddresses(
    _ block: RowBlock, _ column: FlowColumn, _ order: [UInt32], to writer: ParquetWriter
  ) throws(ParquetError) {
    guard block.has(column) else {
      // No source at all is the address of all zero bits, which is not 0.0.0.0.
      try writer.appendChunkOfNulls()
      try writer.appendChunkOfNulls()
      return
    }
    if block.isWide(column) {
      try writer.appendChunkOfNulls()
      try writer.appendChunk {
        $0.append(gathering: block.values(column, as: UInt128.self), order: order.span)
      }
    } else {
      try writer.appendChunk(
        gathering: block.values(column, as: UInt32.self), order: order.span)
      try writer.appendChunkOfNulls()
    }
  }

  private func appendExporters(
    _ block: RowBlock, _ order: [UInt32], to writer: ParquetWriter
  ) throws(ParquetError) {
    var names: [String] = []
    var numberOfName: [String: UInt32] = [:]
    let numbers = block.exporters.map { exporter in
      let name = exporter.address.bits == 0 ? "" : exporter.address.description
      if let known = numberOfName[name] { return known }
      numberOfName[name] = UInt32(names.count)
      names.append(name)
      return UInt32(names.count - 1)
    }
    let values = block.values(.exporter, as: UInt16.self)
    try writer.appendChunk { texts in
      var indices: [UInt32] = []
      indices.reserveCapacity(order.count)
      if numbers.count == 1 {
        indices.append(contentsOf: repeatElement(numbers[0], count: order.count))
      } else {
        for row in order { indices.append(numbers[Int(values[Int(row)])]) }
      }
      texts.append(numbered: names, indices: indices)
    }
    try writer.appendChunk { domains in
      if numbers.count == 1 {
        domains.append(repeating: block.exporters[0].domain, count: order.count)
      } else {
        for row in order { domains.append(block.exporters[Int(values[Int(row)])].domain) }
      }
    }
  }
}
