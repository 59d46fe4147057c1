/// What a ZIP container may hold before it is refused; our own bounds, far above evidence of a case
/// and far below what hurts a server.
public struct ZipLimits: Hashable, Sendable {
  /// Most files.
  public var maximumEntries = 1000
  /// Octets of one file, unpacked.
  public var maximumEntrySize = 256 << 20
  /// Octets of all files together, unpacked.
  public var maximumTotalSize = 1 << 30
  /// Octets that one packed octet may become; DEFLATE reaches 1032 on zeros alone.
  public var maximumRatio = 1100

  /// The values above.
  public init() {}
}

/// A ZIP file (APPNOTE 6.3) as containers of signatures use it: stored and deflated entries, no
/// encryption, no ZIP64, one disk.
struct ZipArchive {
  struct Entry: Hashable, Sendable {
    let name: String
    let content: [UInt8]
  }

  private(set) var entries: [Entry] = []
  /// The archive's comment, in which ASiC may name its media type.
  private(set) var comment: [UInt8] = []

  init(_ entries: [Entry]) { self.entries = entries }

  subscript(name: String) -> [UInt8]? { entries.first { $0.name == name }?.content }

  private static func wrong(_ field: String, _ reason: String) -> MalformedStructure {
    MalformedStructure("ZIP", field, reason)
  }

  private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
    var value = 0
    for index in (0..<count).reversed() { value = value << 8 | Int(bytes[start + index]) }
    return value
  }

  /// Reads the central directory and unpacks everything that it names.
  init(reading bytes: [UInt8], limits: ZipLimits = .init()) throws(MalformedStructure) {
    // The end record is 22 octets and a comment of at most 65535.
    guard bytes.count >= 22 else { throw Self.wrong("end", "too short for a ZIP file") }
    var end = bytes.count - 22
    let lowest = max(0, bytes.count - 22 - 0xFFFF)
    while end >= lowest {
      if bytes[end] == 0x50, bytes[end + 1] == 0x4B, bytes[end + 2] == 5, bytes[end + 3] == 6,
        Self.number(bytes, end + 20, 2) == bytes.count - end - 22
      {
        break
      }
      end -= 1
    }
    guard end >= lowest else { throw Self.wrong("end", "no end of a central directory") }
    comment = Array(bytes[(end + 22)...])
    let count = Self.number(bytes, end + 10, 2)
    guard Self.number(bytes, end + 4, 2) == 0, Self.number(bytes, end + 8, 2) == count else {
      throw Self.wrong("end", "an archive of several disks")
    }
    guard count <= limits.maximumEntries else {
      throw Self.wrong("end", "\(count) files, more than \(limits.maximumEntries)")
    }
    var position = Self.number(bytes, end + 16, 4)
    var total = 0
    var names: Set<String> = []
    for _ in 0..<count {
      guard position + 46 <= end, Self.number(bytes, position, 4) == 0x0201_4B50 else {
        throw Self.wrong("central directory", "broken at octet \(position)")
      }
      let nameLength = Self.number(bytes, position + 28, 2)
      let next =
        position + 46 + nameLength + Self.number(bytes, position + 30, 2)
        + Self.number(bytes, position + 32, 2)
      guard next <= end else {
        throw Self.wrong("central directory", "broken at octet \(position)")
      }
      let name = try Self.name(bytes[position + 46..<position + 46 + nameLength])
      guard names.insert(name).inserted else {
        throw Self.wrong("central directory", "\(name) appears twice")
      }
      let content = try Self.content(
        bytes, at: position, name,
        limit: min(limits.maximumEntrySize, limits.maximumTotalSize - total),
        ratio: limits.maximumRatio, end: end)
      total += content.count
      // Folders have no content and mean nothing here.
      if !name.hasSuffix("/") { entries.append(Entry(name: name, content: content)) }
      position = next
    }
  }

  /// Names that lead out of the container, or look like it, are refused.
  private static func name(_ octets: ArraySlice<UInt8>) throws(MalformedStructure) -> String {
    guard !octets.isEmpty, let name = String(validating: octets, as: UTF8.self) else {
      throw wrong("file name", "empty or not UTF-8")
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain =
      !name.contains("\\") && !name.unicodeScalars.contains { $0.value < 0x20 }
      && !name.hasPrefix("/") && !parts.contains("..") && !parts.contains(".")
      && !parts.dropLast().contains("")
    guard isPlain else { throw wrong("file name", "a path that leads elsewhere") }
    return name
  }

  private static func content(
    _ bytes: [UInt8], at position: Int, _ name: String, limit: Int, ratio: Int, end: Int
  ) throws(MalformedStructure) -> [UInt8] {
    let flags = number(bytes, position + 8, 2)
    guard flags & 1 == 0 else { throw wrong(name, "encrypted") }
    let method = number(bytes, position + 10, 2)
    let checksum = number(bytes, position + 16, 4)
    let packed = number(bytes, position + 20, 4)
    let size = number(bytes, position + 24, 4)
    let header = number(bytes, position + 42, 4)
    guard packed != 0xFFFF_FFFF, size != 0xFFFF_FFFF, header != 0xFFFF_FFFF else {
      throw wrong(name, "of the ZIP64 form, which is not read here")
    }
    guard size <= limit else { throw wrong(name, "\(size) octets, more than allowed") }
    guard header + 30 <= end, number(bytes, header, 4) == 0x0403_4B50 else {
      throw wrong(name, "without its local header")
    }
    let nameLength = number(bytes, header + 26, 2)
    let start = header + 30 + nameLength + number(bytes, header + 28, 2)
    guard start + packed <= end else { throw wrong(name, "longer than the file") }
    // A reader of local headers and one of the directory must not see different files.
    guard
      bytes[header + 30..<header + 30 + nameLength].elementsEqual(name.utf8)
    else { throw wrong(name, "named otherwise in its local header") }
    // Bit 3 leaves checksum and sizes to what follows the data.
    guard number(bytes, header + 8, 2) == method,
      number(bytes, header + 6, 2) & 8 != 0
        || number(bytes, header + 14, 4) == checksum && number(bytes, header + 18, 4) == packed
          && number(bytes, header + 22, 4) == size
    else { throw wrong(name, "described otherwise in its local header") }
    let data = bytes[start..<start + packed]
    let content: [UInt8]
    switch method {
    case 0: content = Array(data)
    case 8:
      guard size <= packed * ratio else { throw wrong(name, "packed implausibly well") }
      do throws(Inflate.Failure) {
        content = try Inflate.unpack(data, limit: size)
      } catch {
        throw wrong(name, error == .tooLong ? "longer than it says" : "not DEFLATE")
      }
    default: throw wrong(name, "packed by method \(method), which is not read here")
    }
    guard content.count == size, Int(Checksum.crc32(content)) == checksum else {
      throw wrong(name, "not of the size or checksum it says")
    }
    return content
  }

  /// Stored entries in their order, without times (1980-01-01), so that equal content gives equal
  /// files.
  func encoded() throws(SealError) -> [UInt8] {
    var output: [UInt8] = []
    var directory: [UInt8] = []
    func put(_ value: Int, _ count: Int, _ target: inout [UInt8]) {
      for index in 0..<count { target.append(UInt8(truncatingIfNeeded: value >> (index * 8))) }
    }
    for entry in entries {
      guard entry.content.count < 0xFFFF_FFFF, output.count < 0xFFFF_FFFF - entry.content.count,
        entry.name.utf8.count < 0xFFFF
      else { throw .unsupported("A container of 4 GB and more") }
      let start = output.count
      var fields: [UInt8] = []
      // Version 2.0; the name is UTF-8 (bit 11); stored; 1980-01-01.
      for (value, count) in [
        (20, 2), (0x800, 2), (0, 2), (0, 2), (0x21, 2), (Int(Checksum.crc32(entry.content)), 4),
        (entry.content.count, 4), (entry.content.count, 4), (entry.name.utf8.count, 2), (0, 2),
      ] { put(value, count, &fields) }
      output += [0x50, 0x4B, 3, 4] + fields + entry.name.utf8
      output += entry.content
      directory += [0x50, 0x4B, 1, 2, 20, 0] + fields
      for (value, count) in [(0, 2), (0, 2), (0, 2), (0, 4), (start, 4)] {
        put(value, count, &directory)
      }
      directory += entry.name.utf8
    }
    let start = output.count
    output += directory
    output += [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
    for (value, count) in [
      (entries.count, 2), (entries.count, 2), (directory.count, 4), (start, 4), (0, 2),
    ] { put(value, count, &output) }
    return output
  }
}

/// CRC-32 (ISO 3309) as ZIP wants it.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1
    }
  }

  static func crc32(_ octets: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for octet in octets { value = table[Int((value ^ UInt32(octet)) & 0xFF)] ^ value >> 8 }
    return ~value
  }
}
