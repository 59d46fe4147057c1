import Foundation
import NetworkTypes

@testable import Geolocation

enum GeoFixtures {
  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures").appendingPathComponent(name).path
  }

  /// The networks of `networks.csv`.
  static let networks: [(prefix: IPPrefix, country: String, asn: UInt32, name: String)] = {
    let text = (try? String(contentsOfFile: path("networks.csv"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: ",").map(String.init)
      guard parts.count == 4, let prefix = IPPrefix(parts[0]), let asn = UInt32(parts[2]) else {
        return nil
      }
      return (prefix, parts[1], asn, parts[3])
    }
  }()

  static let truth = PrefixMap(networks.map { ($0.prefix, GeoRecord($0.country, $0.asn)) })

  /// The edges of all networks and what lies just outside.
  static let probes: [IPAddress] = networks.flatMap { network -> [IPAddress] in
    let first = network.prefix.first.bits
    let last = network.prefix.last.bits
    return [first, last, first &- 1, last &+ 1, (first & last) | 1].map(IPAddress.init(bits:))
  }

  static func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("geo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
  }

  static func write(_ text: String, _ name: String, in folder: String) throws -> String {
    let path = "\(folder)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  static func executable(_ name: String) -> String? {
    ["/usr/bin/\(name)", "/bin/\(name)", "/usr/local/bin/\(name)"]
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  static func output(_ tool: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}

extension GeoRecord {
  init(_ country: String, _ asn: UInt32) {
    self.init(country: CountryCode(country) ?? .unknown, asn: ASN(asn))
  }
}

struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  // SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
