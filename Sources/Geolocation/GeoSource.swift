import Foundation
import NetworkTypes

/// A file to import, and what kind it is.
public struct GeoSource: Hashable, Sendable {
  public let path: String
  public let kind: GeoSourceKind

  public init(path: String, kind: GeoSourceKind) {
    self.path = path
    self.kind = kind
  }

  /// A file whose kind is found by looking into it.
  ///
  /// - Throws: ``GeoError`` when it cannot be opened or is none of the kinds.
  public init(detecting path: String) throws {
    let stream = try GeoByteStream(path: path)
    defer { stream.close() }
    var head: [UInt8] = []
    // Tor's and IPFire's heads are comments of a few hundred bytes.
    while head.count < 1 << 16, let chunk = try stream.next() { head += chunk }
    if let kind = Self.kind(of: head, path: path) {
      self.init(path: path, kind: kind)
      return
    }
    throw GeoError(
      "\(path) is no kind of geographic data that is known. Expected an MMDB file, a CAIDA pfx2as "
        + "table, IPFire's location.db or its `location dump`, or Tor's geoip or geoip6.")
  }

  private static func kind(of head: [UInt8], path: String) -> GeoSourceKind? {
    if path.lowercased().hasSuffix(".mmdb") { return .maxMindDB }
    if head.starts(with: GeoByteStream.locationMagic) { return .ipfireLocation }
    for line in head.split(separator: 10) {
      let text = String(decoding: line.prefix(200), as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty || text.hasPrefix("#") { continue }
      if text.hasPrefix("aut-num:") || text.hasPrefix("net:") { return .ipfireLocation }
      let blanks = text.split { $0 == "\t" || $0 == " " }
      if blanks.count == 3, IPAddress(blanks[0]) != nil, Int(blanks[1]) != nil {
        return .prefixToAS
      }
      let commas = text.split(separator: ",")
      if commas.count == 3, UInt32(commas[0]) != nil || IPAddress(commas[0]) != nil {
        return .torGeoIP
      }
      break
    }
    // An MMDB file carries its mark near its end.
    guard let handle = FileHandle(forReadingAtPath: path), let size = try? handle.seekToEnd() else {
      return nil
    }
    defer { try? handle.close() }
    try? handle.seek(toOffset: size > 131_072 ? size - 131_072 : 0)
    let tail = (try? handle.readToEnd()) ?? Data()
    return tail.range(of: Data([0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8))) == nil
      ? nil : .maxMindDB
  }

  /// What Debian's packages `libloc-database`, `tor-geoipdb` and MaxMind's updater have put on this
  /// machine; `noroshi geo import` without a file takes these.
  public static var installed: [GeoSource] {
    let candidates: [GeoSource] = [
      GeoSource(path: "/usr/share/GeoIP/GeoLite2-City.mmdb", kind: .maxMindDB),
      GeoSource(path: "/usr/share/GeoIP/GeoLite2-Country.mmdb", kind: .maxMindDB),
      GeoSource(path: "/usr/share/GeoIP/GeoLite2-ASN.mmdb", kind: .maxMindDB),
      GeoSource(path: "/var/lib/GeoIP/GeoLite2-City.mmdb", kind: .maxMindDB),
      GeoSource(path: "/var/lib/GeoIP/GeoLite2-Country.mmdb", kind: .maxMindDB),
      GeoSource(path: "/var/lib/GeoIP/GeoLite2-ASN.mmdb", kind: .maxMindDB),
      GeoSource(path: "/var/lib/location/database.db", kind: .ipfireLocation),
      GeoSource(path: "/usr/share/tor/geoip", kind: .torGeoIP),
      GeoSource(path: "/usr/share/tor/geoip6", kind: .torGeoIP),
    ]
    var installed = candidates.filter { FileManager.default.isReadableFile(atPath: $0.path) }
    let packaged = GeoSource(
      path: "/usr/share/libloc-location/location.db", kind: .ipfireLocation)
    if !installed.contains(where: { $0.kind == .ipfireLocation }),
      FileManager.default.isReadableFile(atPath: packaged.path)
    {
      installed.append(packaged)
    }
    return installed
  }
}

/// The bytes of a source as its parser wants them: gzip is unpacked by `gzip -dc`, IPFire's binary
/// database is written out by `location dump`, both while they are read.
final class GeoByteStream {
  private let handle: FileHandle
  private let process: Process?
  private let problemPipe: Pipe?
  private let path: String
  /// How many bytes the stream is likely to give, for progress only.
  let expectedBytes: Double

  static let locationMagic = Array("LOCDBXX".utf8)
  private static let chunkBytes = 1 << 20

  init(path: String) throws {
    self.path = path
    guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd(),
      (try? file.seek(toOffset: 0)) != nil, let head = try? file.read(upToCount: 8)
    else {
      throw GeoError("\(path) cannot be opened. Check the path and its permissions.")
    }
    let command: [String]
    if head.starts(with: [0x1f, 0x8b]) {
      command = ["gzip", "-dc", "--", path]
      expectedBytes = Double(size) * 5
    } else if head.starts(with: Self.locationMagic) {
      // Named as a file, standard output is written in blocks (3 s); unnamed, line by line (20 s).
      command = ["location", "--database", path, "dump", "/dev/stdout"]
      expectedBytes = Double(size) * 2.5
    } else {
      try? file.seek(toOffset: 0)
      handle = file
      process = nil
      problemPipe = nil
      expectedBytes = Double(size)
      return
    }
    try? file.close()
    guard let tool = Self.executable(command[0]) else {
      throw GeoError(
        "\(path) needs the program `\(command[0])` to be read. Install it "
          + "(`apt install \(command[0])`) and import again.")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = Array(command.dropFirst())
    let output = Pipe()
    let problems = Pipe()
    process.standardOutput = output
    process.standardError = problems
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw GeoError("`\(tool)` cannot be started to read \(path): \(error.localizedDescription).")
    }
    handle = output.fileHandleForReading
    self.process = process
    problemPipe = problems
  }

  /// The next bytes, nil at the end.
  ///
  /// - Throws: ``GeoError`` when reading fails or the program that unpacks reports failure.
  func next() throws -> [UInt8]? {
    do {
      if let data = try handle.read(upToCount: Self.chunkBytes), !data.isEmpty {
        return [UInt8](data)
      }
    } catch {
      throw GeoError("\(path) cannot be read to its end: \(error.localizedDescription).")
    }
    guard let process, let problemPipe else { return nil }
    let said = String(
      decoding: problemPipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let reason = said.split(separator: "\n").last.map(String.init) ?? "it gave no reason"
      throw GeoError(
        "\(path) cannot be unpacked: \(reason). The file may be damaged or cut short; get it again."
      )
    }
    return nil
  }

  func close() {
    try? handle.close()
    if let process, process.isRunning { process.terminate() }
  }

  private static func executable(_ name: String) -> String? {
    let folders =
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
      + ["/usr/bin", "/bin", "/usr/local/bin"]
    return folders.map { "\($0)/\(name)" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }
}
