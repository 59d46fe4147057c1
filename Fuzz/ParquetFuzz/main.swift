import Parquet

/// Reads the input as a Parquet file, all columns of all row groups, with small limits.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzParquet(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  var limits = ParquetReaderLimits()
  limits.rowsPerGroup = 4_096
  limits.octetsPerPage = 1 << 20
  limits.octetsPerColumn = 1 << 20
  limits.octetsOfFooter = 1 << 16
  let octets = Array(UnsafeBufferPointer(start: start, count: count))
  guard let reader = try? ParquetReader(octets: octets, limits: limits) else { return 0 }
  for group in reader.rowGroups.prefix(8) {
    for column in reader.schema.prefix(32) {
      guard let vector = try? reader.read(column.name, rowGroup: group.index) else { continue }
      precondition(vector.count == group.rowCount)
      precondition(vector.validity.map { $0.count == vector.count } ?? true)
      for row in 0..<vector.count { _ = vector[row] }
      _ = group.statistics(column.name)?.mayContain(0...9)
    }
  }
  return 0
}
