/// A row group that is written chunk by chunk.
struct OpenRowGroup {
  var rows: Int
  var chunks: [ColumnChunk] = []
}

/// Row groups from columns that lie in memory, in whatever order: their values are gathered page by
/// page while they are encoded, and kept nowhere.
///
/// ```swift
/// try writer.beginRowGroup(rows: order.count)
/// try writer.appendChunk(gathering: ports.span, order: order.span)   // for each column of the schema
/// try writer.finishRowGroup()
/// ```
extension ParquetWriter {
  /// Begins a row group, whose chunks follow in the schema's order. One that was begun before and not
  /// finished is given up.
  ///
  /// - Throws: ``ParquetError/uneven(column:rows:expected:)`` when rows wait in the builders.
  public func beginRowGroup(rows: Int) throws(ParquetError) {
    open = nil
    guard pending == 0, rows > 0 else {
      throw .uneven(column: schema[0].name, rows: pending, expected: 0)
    }
    open = OpenRowGroup(rows: rows)
  }

  /// Appends the next column's chunk: `values[order[0]]`, `values[order[1]]` and so on. The column is one
  /// of INT32 or INT64 that every value fits in.
  ///
  /// - Parameter order: each index of `values` once.
  /// - Throws: ``ParquetError``.
  public func appendChunk(
    gathering values: Span<UInt8>, order: Span<UInt32>
  ) throws(ParquetError) { try gather(values, 0, order) }

  /// The same for numbers of 16 bits.
  public func appendChunk(
    gathering values: Span<UInt16>, order: Span<UInt32>
  ) throws(ParquetError) { try gather(values, 0, order) }

  /// The same for numbers of 32 bits, to each of which `base` is added if the column is INT64.
  public func appendChunk(
    gathering values: Span<UInt32>, plus base: Int64 = 0, order: Span<UInt32>
  ) throws(ParquetError) { try gather(values, base, order) }

  /// The same for numbers of 64 bits.
  public func appendChunk(
    gathering values: Span<UInt64>, order: Span<UInt32>
  ) throws(ParquetError) { try gather(values, 0, order) }

  /// The same for numbers of 64 bits with a sign.
  public func appendChunk(
    gathering values: Span<Int64>, order: Span<UInt32>
  ) throws(ParquetError) { try gather(values, 0, order) }

  // Generic here, where it is specialised: across modules it would not be.
  private func gather<Number: FixedWidthInteger & BitwiseCopyable>(
    _ values: Span<Number>, _ base: Int64, _ order: Span<UInt32>
  ) throws(ParquetError) {
    let builder = try nextColumn()
    guard order.count == open?.rows, values.count == order.count else {
      throw .uneven(
        column: builder.column.name, rows: min(order.count, values.count),
        expected: open?.rows ?? 0)
    }
    if let chunk = try encoder.encode(
      builder.column, gathering: values, plus: base, order: order)
    {
      try take(chunk)
      return
    }
    builder.append(gathering: values, plus: base, order: order)
    try encode(builder)
  }

  /// Appends the next column's chunk without any value; the column is optional.
  ///
  /// - Throws: ``ParquetError``.
  public func appendChunkOfNulls() throws(ParquetError) {
    let column = try nextColumn().column
    guard let rows = open?.rows, column.isOptional else {
      throw .misfit(column: column.name, type: column.typeDescription)
    }
    try take(try encoder.encodeNulls(column, rows: rows))
  }

  /// Appends the next column's chunk from what is appended to its builder.
  ///
  /// - Throws: ``ParquetError``.
  public func appendChunk(_ fill: (ColumnBuilder) -> Void) throws(ParquetError) {
    let builder = try nextColumn()
    fill(builder)
    try encode(builder)
  }

  /// Ends the row group. It is on the disk when this returns, if the file is journalled.
  ///
  /// - Throws: ``ParquetError``.
  public func finishRowGroup() throws(ParquetError) {
    guard let group = open, group.chunks.count == schema.count else {
      let place = open?.chunks.count ?? 0
      throw .uneven(
        column: schema[min(place, schema.count - 1)].name, rows: 0, expected: open?.rows ?? 0)
    }
    open = nil
    try note(group.chunks, rows: group.rows)
  }

  private func nextColumn() throws(ParquetError) -> ColumnBuilder {
    guard let place = open?.chunks.count, place < columns.count else {
      throw .uneven(column: schema[schema.count - 1].name, rows: 0, expected: 0)
    }
    return columns[place]
  }

  private func encode(_ builder: ColumnBuilder) throws(ParquetError) {
    let rows = open?.rows ?? 0
    defer { builder.removeFirst(rows: builder.rowCount) }
    if builder.isMisfit {
      throw .misfit(column: builder.column.name, type: builder.column.typeDescription)
    }
    guard builder.rowCount == rows else {
      throw .uneven(column: builder.column.name, rows: builder.rowCount, expected: rows)
    }
    try take(try encoder.encode(builder, rows: rows))
  }

  private func take(_ chunk: ColumnChunk) throws(ParquetError) {
    open?.chunks.append(try place(chunk))
  }
}
