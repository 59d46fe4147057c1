import FlowRecords
import NetworkTypes
import Parquet

/// Which rows of a row group are still wanted: 1 for each such row, else 0.
struct RowMask: Sendable {
  var flags: [UInt8]

  init(count: Int, isWanted: Bool = true) {
    flags = [UInt8](repeating: isWanted ? 1 : 0, count: count)
  }

  func isAnyWanted(in rows: Range<Int>) -> Bool {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= flags.count, "rows of the row group")
    let bytes = flags.span.bytes
    var row = rows.lowerBound
    // 32 rows at a time: all four loads end before `rows.upperBound`, which is inside.
    while row &+ 32 <= rows.upperBound {
      let found =
        bytes.unsafeLoadUnaligned(fromByteOffset: row, as: UInt64.self)
        | bytes.unsafeLoadUnaligned(fromByteOffset: row &+ 8, as: UInt64.self)
        | bytes.unsafeLoadUnaligned(fromByteOffset: row &+ 16, as: UInt64.self)
        | bytes.unsafeLoadUnaligned(fromByteOffset: row &+ 24, as: UInt64.self)
      if found != 0 { return true }
      row &+= 32
    }
    let span = flags.span
    while row < rows.upperBound {
      if span[row] != 0 { return true }
      row &+= 1
    }
    return false
  }

  mutating func clear(_ rows: Range<Int>) {
    var span = flags.mutableSpan
    for row in rows { span[row] = 0 }
  }

  mutating func clear() { clear(0..<flags.count) }
}

/// One worker's view of one row group after the other: columns are decoded when they are first asked
/// for, and only in the pages that hold wanted rows.
final class GroupScan {
  /// What a column of the row group is.
  enum Loaded {
    /// Absent: zero in every row.
    case zero
    /// ``ColumnScratch/words32``.
    case narrow(ColumnScratch)
    /// ``ColumnScratch/words64``.
    case wide(ColumnScratch)
    /// Addresses of 128 bits.
    case addresses(ColumnScratch)
    /// IPv4 addresses of 32 bits.
    case addresses4(ColumnScratch)
    /// Text by number.
    case texts(ColumnScratch)
  }

  private(set) var file: OpenFile?
  private(set) var group = 0
  private(set) var count = 0
  private var scratches: [ColumnScratch?]
  private var loaded: [Loaded?]
  /// The scratch of the observation domain comes behind those of the columns.
  private static let domainSlot = FlowColumn.allCases.count

  init() {
    scratches = [ColumnScratch?](repeating: nil, count: Self.domainSlot + 1)
    loaded = [Loaded?](repeating: nil, count: Self.domainSlot + 1)
  }

  func begin(_ file: OpenFile, group: Int) {
    self.file = file
    self.group = group
    count = file.reader.rowGroups[group].rowCount
    for index in loaded.indices { loaded[index] = nil }
  }

  private func scratch(_ slot: Int) -> ColumnScratch {
    if let known = scratches[slot] { return known }
    let made = ColumnScratch()
    scratches[slot] = made
    return made
  }

  private func covers(_ scratch: ColumnScratch, _ mask: RowMask?) -> Bool {
    if scratch.decodedRows.count == 1, scratch.decodedRows[0] == 0..<count { return true }
    guard let mask else { return count == 0 }
    var next = 0
    for rows in scratch.decodedRows {
      if mask.isAnyWanted(in: next..<rows.lowerBound) { return false }
      next = rows.upperBound
    }
    return !mask.isAnyWanted(in: next..<count)
  }

  /// A column with at least the wanted rows decoded.
  ///
  /// - Parameter dictionary: may say of a column's distinct values that none is wanted; see
  ///   ``ParquetReader/load(column:rowGroup:into:pages:dictionary:)``. The column is then not kept for
  ///   later.
  func load(
    _ column: FlowColumn, _ mask: RowMask?, dictionary: ((ColumnScratch) -> Bool)? = nil
  ) throws(ArchiveError) -> Loaded {
    let slot = Int(column.rawValue)
    if let known = loaded[slot] {
      switch known {
      case .zero: return known
      case .narrow(let scratch), .wide(let scratch), .addresses(let scratch),
        .addresses4(let scratch), .texts(let scratch):
        if covers(scratch, mask) { return known }
      }
    }
    // `begin` comes before every load.
    guard let file else { return .zero }
    let narrow = file.place(column, group: group)
    let wide = file.place(column, group: group, isWide: true)
    let target = scratch(slot)
    let result: Loaded
    switch (narrow, wide) {
    case (nil, nil): result = .zero
    case (let place?, nil):
      try read(file, place, target, mask, dictionary)
      switch target.form {
      case .words32: result = column.kind == .address ? .addresses4(target) : .narrow(target)
      case .words64:
        if column.kind == .time { target.divide(by: file.unitsPerMillisecond(place)) }
        result = .wide(target)
      case .texts: result = .texts(target)
      case .words128: result = .addresses(target)
      }
    case (nil, let place?):
      try readWide(file, place, target, mask)
      result = .addresses(target)
    case (let place?, let widePlace?):
      // Not as this archive writes: both forms in one row group, each null where the other is not.
      try read(file, place, target, nil, nil)
      let other = ColumnScratch()
      try readWide(file, widePlace, other, nil)
      var values: [UInt128] = []
      for row in 0..<count {
        let value = other.words128[row]
        values.append(value != 0 ? value : IPAddress(v4: target.words32[row]).bits)
      }
      target.fill(count: count) { values[$0] }
      result = .addresses(target)
    }
    if dictionary == nil { loaded[slot] = result }
    return result
  }

  /// The observation domain.
  func loadDomain(_ mask: RowMask?) throws(ArchiveError) -> Loaded {
    if let known = loaded[Self.domainSlot], case .narrow(let scratch) = known,
      covers(scratch, mask)
    {
      return known
    }
    guard let file, let place = file.domainPlace else { return .zero }
    let target = scratch(Self.domainSlot)
    try read(file, place, target, mask, nil)
    loaded[Self.domainSlot] = .narrow(target)
    return .narrow(target)
  }

  /// Addresses of 16 octets; other programs may have written them as octet strings of any length.
  private func readWide(
    _ file: OpenFile, _ place: Int, _ target: ColumnScratch, _ mask: RowMask?
  ) throws(ArchiveError) {
    let column = file.reader.schema[place]
    guard column.physicalType == .byteArray else {
      return try read(file, place, target, mask, nil)
    }
    do throws(ParquetError) {
      let vector = try file.reader.read(column.name, rowGroup: group)
      target.fill(count: vector.count) { row in
        guard case .octets(let octets) = vector[row], octets.count == 16 else { return 0 }
        return octets.reduce(0) { $0 << 8 | UInt128($1) }
      }
    } catch {
      throw .file(path: file.path, reason: "\(error)")
    }
  }

  private func read(
    _ file: OpenFile, _ place: Int, _ target: ColumnScratch, _ mask: RowMask?,
    _ dictionary: ((ColumnScratch) -> Bool)?
  ) throws(ArchiveError) {
    do throws(ParquetError) {
      if let mask {
        try file.reader.load(
          column: place, rowGroup: group, into: target, pages: { mask.isAnyWanted(in: $0) },
          dictionary: dictionary)
      } else {
        try file.reader.load(
          column: place, rowGroup: group, into: target, dictionary: dictionary)
      }
    } catch {
      throw .file(path: file.path, reason: "\(error)")
    }
  }

  // MARK: Numbers by row

  /// A number of any row that was loaded, for code that is not hot.
  func number(_ loaded: Loaded, _ row: Int) -> UInt64 {
    switch loaded {
    case .zero: 0
    case .narrow(let scratch), .addresses4(let scratch), .texts(let scratch):
      UInt64(scratch.words32[row])
    case .wide(let scratch): scratch.words64[row]
    case .addresses(let scratch): UInt64(truncatingIfNeeded: scratch.words128[row])
    }
  }

  /// An address of a row that was loaded; all zero bits where there is none.
  func address(_ column: FlowColumn, _ loaded: Loaded, _ row: Int) -> UInt128 {
    switch loaded {
    case .addresses4(let scratch):
      let value = scratch.words32[row]
      let isEnd = column == .sourceAddress || column == .destinationAddress
      return value == 0 && !isEnd ? 0 : IPAddress(v4: value).bits
    case .addresses(let scratch): return scratch.words128[row]
    case .texts(let scratch):
      let number = Int(scratch.words32[row])
      return IPAddress(scratch.texts[number])?.bits ?? 0
    case .zero, .narrow, .wide: return 0
    }
  }
}
