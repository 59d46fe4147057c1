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
    var place = 0
    for column in FlowColumn.allCases
    where writer.schema.indices.contains(place) && writer.schema[place].name == Self.name(column) {
      let builder = writer.columns[place]
      if column == .exporter {
        appendExporters(block, order, builder, writer.columns[place + 1])
        place += 2
      } else if column.kind == .address {
        appendAddresses(block, column, order, builder, writer.columns[place + 1])
        place += 2
      } else {
        append(block, column, order, builder)
        place += 1
      }
    }
    try writer.endRows(count)
    try writer.endRowGroup()
  }

  private static func name(_ column: FlowColumn) -> String {
    column.kind == .address ? ArchiveSchema.addressName(column, isIPv4: true) : column.name
  }

  private func append(
    _ block: RowBlock, _ column: FlowColumn, _ order: [UInt32], _ builder: ColumnBuilder
  ) {
    guard block.has(column) else {
      if builder.column.isOptional {
        builder.appendNulls(order.count)
      } else {
        builder.append(repeating: 0, count: order.count)
      }
      return
    }
    if column.kind == .time {
      builder.append(gathering: block.values(column, as: Int64.self), order: order.span)
      return
    }
    switch column.width {
    case 1: builder.append(gathering: block.values(column, as: UInt8.self), order: order.span)
    case 2: builder.append(gathering: block.values(column, as: UInt16.self), order: order.span)
    case 4: builder.append(gathering: block.values(column, as: UInt32.self), order: order.span)
    default: builder.append(gathering: block.values(column, as: UInt64.self), order: order.span)
    }
  }

  private func appendAddresses(
    _ block: RowBlock, _ column: FlowColumn, _ order: [UInt32], _ narrow: ColumnBuilder,
    _ wide: ColumnBuilder
  ) {
    guard block.has(column) else {
      // No source at all is the address of all zero bits, which is not 0.0.0.0.
      narrow.appendNulls(order.count)
      wide.appendNulls(order.count)
      return
    }
    if block.isWide(column) {
      narrow.appendNulls(order.count)
      wide.append(gathering: block.values(column, as: UInt128.self), order: order.span)
    } else {
      narrow.append(gathering: block.values(column, as: UInt32.self), order: order.span)
      wide.appendNulls(order.count)
    }
  }

  private func appendExporters(
    _ block: RowBlock, _ order: [UInt32], _ texts: ColumnBuilder, _ domains: ColumnBuilder
  ) {
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
    var nameIndices: [UInt32] = []
    nameIndices.reserveCapacity(order.count)
    if numbers.count == 1 {
      nameIndices.append(contentsOf: repeatElement(numbers[0], count: order.count))
      domains.append(repeating: block.exporters[0].domain, count: order.count)
    } else {
      for row in order {
        let exporter = Int(values[Int(row)])
        nameIndices.append(numbers[exporter])
        domains.append(block.exporters[exporter].domain)
      }
    }
    texts.append(numbered: names, indices: nameIndices)
  }
}
