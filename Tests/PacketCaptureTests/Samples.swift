import Foundation
import NetworkTypes
import PacketCapture

/// Where the shared test data lie; tests that need them are skipped without.
enum Samples {
  static let telescope: String? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let root =
      ProcessInfo.processInfo.environment["NOROSHI_SHARED"]
      ?? package.deletingLastPathComponent().appending(path: "shared").path
    let path = root + "/data/telescope"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  static var arePresent: Bool { telescope != nil }

  static func path(_ name: String) -> String { (telescope ?? "") + "/" + name }

  static func bytes(_ name: String) throws -> [UInt8] { try read(path(name)) }

  static func read(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  /// The captures of a folder, sorted.
  static func captures(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
      .filter { $0.hasSuffix(".pcap") || $0.hasSuffix(".pcapng") || $0.hasSuffix(".pcap.gz") }
      .map { folder + "/" + $0 }
  }
}

/// Another program, when it is installed.
struct Tool {
  let path: String

  init?(_ name: String) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
    let found = folders.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { return nil }
    path = found
  }

  /// Runs to its end and gives standard output.
  @discardableResult
  func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    let (inward, outward) = (Pipe(), Pipe())
    process.standardInput = inward
    process.standardOutput = outward
    process.standardError = FileHandle.nullDevice
    try process.run()
    let writer = Thread {
      try? inward.fileHandleForWriting.write(contentsOf: Data(input))
      try? inward.fileHandleForWriting.close()
    }
    writer.start()
    let output = outward.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(output)
  }
}

/// A file that is removed afterwards.
func withTemporaryFile<R>(_ bytes: [UInt8] = [], _ body: (String) throws -> R) throws -> R {
  let url = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString)")
  try Data(bytes).write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// One packet as tests compare it.
struct Packet: Equatable {
  var nanoseconds: Int64
  var linkType: LinkType
  var originalLength: UInt32
  var bytes: [UInt8]
}

extension RawSpan {
  var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// All packets of a reader, and how it ended.
func drain(
  _ reader: consuming CaptureReader, limit: Int = 7
) throws -> (packets: [Packet], ending: CaptureEnding) {
  var packets: [Packet] = []
  while true {
    let got = try reader.read(limit: limit) { record, bytes in
      precondition(record.index >= packets.count && Int(record.capturedLength) == bytes.byteCount)
      packets.append(
        Packet(
          nanoseconds: record.timestamp.nanoseconds, linkType: record.linkType,
          originalLength: record.originalLength, bytes: bytes.array))
    }
    if got == 0 { break }
  }
  return (packets, reader.ending)
}

/// Decodes one packet given as octets.
func decode(
  _ bytes: [UInt8], _ linkType: LinkType = .ethernet
) -> (outcome: DecodeOutcome, headers: PacketHeaders) {
  var headers = PacketHeaders()
  let record = PacketRecord(
    timestamp: Timestamp(nanoseconds: 5), index: 0, capturedLength: UInt32(bytes.count),
    originalLength: UInt32(bytes.count), linkType: linkType)
  let outcome = PacketDecoder.decode(record, bytes.span.bytes, into: &headers)
  return (outcome, headers)
}

/// Octets of captures and packets, written by hand so that tests do not trust the code under test.
enum Octets {
  static func big(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }
  static func little(_ value: UInt64, _ count: Int) -> [UInt8] { big(value, count).reversed() }
  static func number(_ value: UInt64, _ count: Int, big isBig: Bool) -> [UInt8] {
    isBig ? big(value, count) : little(value, count)
  }

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { $0.isHexDigit }
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      let start = digits.index(digits.startIndex, offsetBy: $0)
      return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
    }
  }

  /// A pcap file; times in units of its magic.
  static func pcap(
    _ packets: [(seconds: UInt64, fraction: UInt64, bytes: [UInt8])], magic: UInt64 = 0xa1b2_c3d4,
    big isBig: Bool = false, linkType: UInt64 = 1
  ) -> [UInt8] {
    var file = number(magic, 4, big: isBig) + number(2, 2, big: isBig) + number(4, 2, big: isBig)
    file += [UInt8](repeating: 0, count: 8)
    file += number(65_535, 4, big: isBig) + number(linkType, 4, big: isBig)
    for packet in packets {
      let length = UInt64(packet.bytes.count)
      file += number(packet.seconds, 4, big: isBig) + number(packet.fraction, 4, big: isBig)
      file += number(length, 4, big: isBig) + number(length + 1, 4, big: isBig) + packet.bytes
    }
    return file
  }

  /// A pcapng block around its body, which is padded.
  static func block(_ type: UInt64, _ body: [UInt8], big isBig: Bool = false) -> [UInt8] {
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    let length = number(UInt64(padded.count + 12), 4, big: isBig)
    return number(type, 4, big: isBig) + length + padded + length
  }

  static func section(big isBig: Bool = false) -> [UInt8] {
    block(
      0x0a0d_0d0a,
      number(0x1a2b_3c4d, 4, big: isBig) + number(1, 2, big: isBig) + number(0, 2, big: isBig)
        + [UInt8](repeating: 255, count: 8), big: isBig)
  }

  static func interface(
    _ linkType: UInt64 = 1, snapshotLength: UInt64 = 0, options: [(UInt64, [UInt8])] = [],
    big isBig: Bool = false
  ) -> [UInt8] {
    var body = number(linkType, 2, big: isBig) + [0, 0] + number(snapshotLength, 4, big: isBig)
    for (code, value) in options {
      body += number(code, 2, big: isBig) + number(UInt64(value.count), 2, big: isBig) + value
      body += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }
    return block(1, body, big: isBig)
  }

  static func enhanced(
    _ interface: UInt64, ticks: UInt64, _ bytes: [UInt8], big isBig: Bool = false
  ) -> [UInt8] {
    block(6, number(interface, 4, big: isBig) + stamped(ticks, bytes, isBig), big: isBig)
  }

  static func simple(_ bytes: [UInt8], original: Int? = nil, big isBig: Bool = false) -> [UInt8] {
    block(3, number(UInt64(original ?? bytes.count), 4, big: isBig) + bytes, big: isBig)
  }

  static func obsolete(
    _ interface: UInt64, ticks: UInt64, _ bytes: [UInt8], big isBig: Bool = false
  ) -> [UInt8] {
    block(2, number(interface, 2, big: isBig) + [0, 0] + stamped(ticks, bytes, isBig), big: isBig)
  }

  private static func stamped(_ ticks: UInt64, _ bytes: [UInt8], _ isBig: Bool) -> [UInt8] {
    let time = number(ticks >> 32, 4, big: isBig) + number(ticks & 0xffff_ffff, 4, big: isBig)
    let length = number(UInt64(bytes.count), 4, big: isBig)
    return time + length + length + bytes
  }

  // MARK: Packets

  static func ethernet(_ type: UInt64, _ payload: [UInt8]) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + big(type, 2) + payload
  }

  /// IPv4 from 192.0.2.1 to 198.51.100.2 with identification 54321 and a lifetime of 64.
  static func ipv4(
    _ transport: UInt8, _ payload: [UInt8], options: [UInt8] = [], fragment: UInt64 = 0,
    total: Int? = nil
  ) -> [UInt8] {
    let length = UInt64(total ?? 20 + options.count + payload.count)
    var header: [UInt8] = [0x40 | UInt8(5 + options.count / 4), 0]
    header += big(length, 2) + big(54_321, 2) + big(fragment, 2)
    header += [64, transport, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]
    return header + options + payload
  }

  /// IPv6 from 2001:db8::1 to 2001:db8::2.
  static func ipv6(_ next: UInt8, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
    let prefix = hex("20010db8000000000000000000000000")
    var header: [UInt8] = [0x60, 0, 0, 0] + big(UInt64(length ?? payload.count), 2)
    header += [next, 33]
    header += prefix.dropLast() + [1]
    header += prefix.dropLast() + [2]
    return header + payload
  }

  /// A TCP segment from port 1000 to 23 with sequence number 7.
  static func tcp(
    flags: UInt8 = 2, options: [UInt8] = [], payload: [UInt8] = [], dataOffset: UInt8? = nil
  ) -> [UInt8] {
    var segment = big(1000, 2) + big(23, 2) + big(7, 4) + big(9, 4)
    segment += [(dataOffset ?? UInt8(5 + options.count / 4)) << 4, flags]
    segment += big(1024, 2)
    return segment + [0, 0, 0, 0] + options + payload
  }

  /// A UDP datagram from port 5353 to 53.
  static func udp(_ payload: [UInt8] = [1, 2, 3]) -> [UInt8] {
    big(5353, 2) + big(53, 2) + big(UInt64(8 + payload.count), 2) + [0, 0] + payload
  }
}
