import Foundation
import Glibc
import NetworkTypes

/// The file `geo.noroshi`: everything ``GeoDatabase`` knows, in a few megabytes.
///
/// | part | form |
/// | --- | --- |
/// | magic | the 8 bytes `NOROSHIG` |
/// | version | 1 byte, now 1 |
/// | records | count, then for each the country (2 letters packed) and the ASN |
/// | IPv4 runs, IPv6 runs | count, then for each the distance from the run before, and the record |
/// | names | count, then for each the distance from the ASN before, length, UTF-8 |
/// | provenance | length, JSON |
/// | CRC-32 | 4 bytes, little endian, over all before it (IEEE 802.3) |
///
/// Numbers are LEB128. A distance is written as one byte that counts its trailing zero bits and the
/// rest as a number, because blocks end on round addresses.
struct GeoSnapshot: Sendable {
  var table: IPRunTable
  var records: [GeoRecord]
  var names: ASNNames
  var provenance: [GeoProvenance]

  static let magic = Array("NOROSHIG".utf8)
  static let version: UInt8 = 1

  /// The snapshot that knows nothing.
  init() {
    guard let table = IPRunTable(v4: [], numbers: [], v6: [], numbers: []) else {
      // No run starts rise strictly, and none of no numbers is too large.
      preconditionFailure("a table of no runs is valid")
    }
    self.table = table
    records = [.unknown]
    names = ASNNames()
    provenance = []
  }

  /// What a combination of sources knows.
  init(_ combined: GeoCombination) {
    self.init()
    let table = IPRunTable(
      v4: combined.v4.starts, numbers: combined.v4.numbers, v6: combined.v6.starts,
      numbers: combined.v6.numbers)
    // Runs rise strictly by construction; were there ever so many records that their numbers do not
    // fit, the table stays empty.
    guard let table else { return }
    self.table = table
    records = combined.records
    names = combined.names
  }

  /// Reads a snapshot file.
  init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw GeoError(
        "The geographic database \(path) cannot be opened; make it with `noroshi geo import`.")
    }
    do {
      try self.init(bytes: [UInt8](data))
    } catch let problem as SnapshotProblem {
      throw GeoError(
        "The geographic database \(path) \(problem.text); make it anew with `noroshi geo import`.")
    }
  }

  /// What is wrong with a snapshot, as the predicate of a sentence.
  struct SnapshotProblem: Error { let text: String }

  init(bytes: [UInt8]) throws {
    guard bytes.count >= Self.magic.count + 5, bytes.starts(with: Self.magic) else {
      throw SnapshotProblem(text: "does not begin as a geo.noroshi file does")
    }
    guard bytes[Self.magic.count] == Self.version else {
      throw SnapshotProblem(
        text: "is of format \(bytes[Self.magic.count]), this program reads format \(Self.version)")
    }
    let body = bytes.count - 4
    let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[body + $1]) << UInt32(8 * $1) }
    guard CRC32.of(bytes, count: body) == stored else {
      throw SnapshotProblem(text: "is damaged (its checksum differs)")
    }
    var input = SnapshotInput(bytes: bytes, position: Self.magic.count + 1, end: body)
    guard let parts = input.parts() else {
      throw SnapshotProblem(text: "is damaged at byte \(input.position)")
    }
    self = parts
  }

  init(
    table: IPRunTable, records: [GeoRecord], names: ASNNames, provenance: [GeoProvenance]
  ) {
    self.table = table
    self.records = records
    self.names = names
    self.provenance = provenance
  }

  /// The bytes of a snapshot with these parts.
  static func encoded(
    records: [GeoRecord], v4: AddressRuns<UInt32>, v6: AddressRuns<UInt128>, names: ASNNames,
    provenance: [GeoProvenance]
  ) throws -> [UInt8] {
    var output = SnapshotOutput()
    output.bytes = magic + [version]
    output.number(UInt64(records.count))
    for record in records {
      output.number(UInt64(record.country.packed))
      output.number(UInt64(record.asn.number))
    }
    output.runs(v4)
    output.runs(v6)
    output.number(UInt64(names.count))
    var previous: UInt32 = 0
    for (index, number) in names.numbers.enumerated() {
      output.number(UInt64(number - previous))
      previous = number
      let text = names.text[Int(names.offsets[index])..<Int(names.offsets[index + 1])]
      output.number(UInt64(text.count))
      output.bytes += text
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = try encoder.encode(provenance)
    output.number(UInt64(json.count))
    output.bytes += json
    let checksum = CRC32.of(output.bytes, count: output.bytes.count)
    for shift in 0..<4 {
      output.bytes.append(UInt8(truncatingIfNeeded: checksum >> UInt32(8 * shift)))
    }
    return output.bytes
  }

  /// Writes beside the file, syncs and renames, so that a crash leaves the old file or the new one.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let part = path + ".part"
    func failed(_ step: String) -> GeoError {
      let reason = String(cString: strerror(errno))
      unlink(part)
      return GeoError(
        "The geographic database \(path) cannot be \(step): \(reason). Check that its folder exists, "
          + "is writable and has \(bytes.count >> 20) MB free.")
    }
    let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failed("written") }
    do {
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: bytes)
    } catch {
      close(descriptor)
      throw failed("written")
    }
    guard fsync(descriptor) == 0, close(descriptor) == 0 else { throw failed("synced") }
    guard rename(part, path) == 0 else { throw failed("renamed") }
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }
}

private struct SnapshotOutput {
  var bytes: [UInt8] = []

  mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    var rest = value
    while rest >= 128 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func runs<Number>(_ runs: AddressRuns<Number>) {
    number(UInt64(runs.starts.count))
    var previous: Number = 0
    for (start, record) in zip(runs.starts, runs.numbers) {
      let distance = start - previous
      let zeros = distance == 0 ? 0 : distance.trailingZeroBitCount
      bytes.append(UInt8(zeros))
      number(distance >> Number(zeros))
      number(record)
      previous = start
    }
  }
}

private struct SnapshotInput {
  let bytes: [UInt8]
  var position: Int
  let end: Int

  mutating func parts() -> GeoSnapshot? {
    // A record takes at least two bytes, a run three, a name two: counts beyond that are lies that
    // must not reserve memory.
    guard let recordCount = count(ofAtLeast: 2) else { return nil }
    var records: [GeoRecord] = []
    records.reserveCapacity(recordCount)
    for _ in 0..<recordCount {
      guard let country = number(UInt16.self), let asn = number(UInt32.self) else { return nil }
      records.append(GeoRecord(country: CountryCode(packed: country), asn: ASN(asn)))
    }
    guard records.first == .unknown,
      let four = runs(UInt32.self, below: recordCount),
      let six = runs(UInt128.self, below: recordCount),
      let table = IPRunTable(
        v4: four.starts, numbers: four.numbers, v6: six.starts, numbers: six.numbers),
      let names = names(), let jsonLength = count(ofAtLeast: 1), jsonLength == end - position,
      let provenance = try? JSONDecoder().decode(
        [GeoProvenance].self, from: Data(bytes[position..<end]))
    else { return nil }
    return GeoSnapshot(table: table, records: records, names: names, provenance: provenance)
  }

  private mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
    _: Number.Type
  ) -> Number? {
    var value: Number = 0
    var shift = 0
    while position < end, shift < Number.bitWidth {
      let byte = bytes[position]
      position += 1
      let part = Number(truncatingIfNeeded: byte & 127)
      guard (part << Number(shift)) >> Number(shift) == part else { return nil }
      value |= part << Number(shift)
      if byte < 128 { return value }
      shift += 7
    }
    return nil
  }

  private mutating func count(ofAtLeast size: Int) -> Int? {
    guard let count = number(UInt64.self), count <= UInt64(end - position) / UInt64(size) else {
      return nil
    }
    return Int(count)
  }

  private mutating func runs<Number: FixedWidthInteger & UnsignedInteger>(
    _: Number.Type, below limit: Int
  ) -> (starts: [Number], numbers: [UInt32])? {
    guard let count = count(ofAtLeast: 3) else { return nil }
    var starts: [Number] = []
    var numbers: [UInt32] = []
    starts.reserveCapacity(count)
    numbers.reserveCapacity(count)
    var start: Number = 0
    for _ in 0..<count {
      guard position < end else { return nil }
      let zeros = Int(bytes[position])
      position += 1
      guard zeros < Number.bitWidth, let rest = number(Number.self),
        let record = number(UInt32.self), Int(record) < limit
      else { return nil }
      let distance = rest << Number(zeros)
      let (sum, overflow) = start.addingReportingOverflow(distance)
      guard distance >> Number(zeros) == rest, !overflow else { return nil }
      start = sum
      starts.append(start)
      numbers.append(record)
    }
    return (starts, numbers)
  }

  private mutating func names() -> ASNNames? {
    guard let count = count(ofAtLeast: 2) else { return nil }
    var numbers: [UInt32] = []
    var offsets: [UInt32] = [0]
    var text: [UInt8] = []
    var asn: UInt32 = 0
    for _ in 0..<count {
      guard let distance = number(UInt32.self), let length = self.count(ofAtLeast: 1) else {
        return nil
      }
      let (sum, overflow) = asn.addingReportingOverflow(distance)
      guard !overflow else { return nil }
      asn = sum
      numbers.append(asn)
      text += bytes[position..<position + length]
      position += length
      offsets.append(UInt32(clamping: text.count))
    }
    return ASNNames(numbers: numbers, offsets: offsets, text: text)
  }
}

/// CRC-32 of IEEE 802.3 (the one of gzip and PNG), eight bytes at a time after Kounavis and Berry,
/// "A Systematic Approach to Building High Performance Software-Based CRC Generators" (2005).
enum CRC32 {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
      tables[byte] = value
    }
    for slice in 1..<8 {
      for byte in 0..<256 {
        let previous = tables[(slice - 1) * 256 + byte]
        tables[slice * 256 + byte] = previous >> 8 ^ tables[Int(previous & 255)]
      }
    }
    return tables
  }()

  static func of(_ bytes: [UInt8], count: Int) -> UInt32 {
    let tables = Self.tables
    var crc: UInt32 = 0xffff_ffff
    var position = 0
    while position + 8 <= count {
      var next: UInt32 = 0
      for slice in 0..<4 {
        let low = UInt8(truncatingIfNeeded: crc >> UInt32(8 * slice)) ^ bytes[position + slice]
        next ^=
          tables[(7 - slice) * 256 + Int(low)]
          ^ tables[(3 - slice) * 256 + Int(bytes[position + 4 + slice])]
      }
      crc = next
      position += 8
    }
    while position < count {
      crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[position])]
      position += 1
    }
    return ~crc
  }
}
