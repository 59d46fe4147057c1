import Foundation
import NetworkTypes

/// What an import read, kept and left out.
public struct GeoImportReport: Codable, Hashable, Sendable {
  /// The sources, the most trusted first.
  public let sources: [GeoProvenance]
  /// Runs of IPv4 and IPv6 addresses with the same answer.
  public let v4Runs: Int
  public let v6Runs: Int
  /// Different pairs of country and system.
  public let records: Int
  public let names: Int
  /// The part of all 2³² IPv4 addresses whose country, and whose system, is known.
  public let v4CountryCoverage: Double
  public let v4ASNCoverage: Double
  public let snapshotBytes: Int
}

/// Makes the snapshot of ``GeoDatabase`` from the files of others.
///
/// **Which source counts.** Country and system are decided apart. For each, the most trusted source
/// that knows it wins (``GeoSourceKind/trustRank``; at the same rank the newer one); within one
/// source the most specific block that states it wins, so that a /24 without a system inside a /16
/// with one has the system of the /16.
public enum GeoImporter {
  /// Reads the sources and writes the snapshot at `path`, which is replaced only once the new one is
  /// safely on the disk.
  ///
  /// - Parameter progress: called with the finished fraction, from 0 to 1, never falling.
  /// - Throws: ``GeoError`` for a source that cannot be opened, has nothing usable in it, or for a
  ///   snapshot that cannot be written. The old snapshot is then untouched.
  @discardableResult
  public static func `import`(
    sources: [GeoSource], to path: String, progress: (Double) -> Void = { _ in }
  ) throws -> GeoImportReport {
    guard !sources.isEmpty else {
      throw GeoError(
        "There is no geographic data to import. Install it with `apt install libloc-database "
          + "location tor-geoipdb`, or name MMDB or pfx2as files.")
    }
    let weights = sources.map { source in
      let size = (try? FileManager.default.attributesOfItem(atPath: source.path))?[.size]
      return max(1, (size as? NSNumber)?.doubleValue ?? 1)
    }
    // Reading takes most of the time; the rest goes into sorting, combining and writing.
    let readingShare = 0.8
    let total = weights.reduce(0, +)
    var done = 0.0
    var layers: [(source: GeoSource, layer: GeoLayer, date: Timestamp)] = []
    for (source, weight) in zip(sources, weights) {
      let layer = try Self.layer(of: source) { fraction in
        progress((done + weight * min(1, fraction)) / total * readingShare)
      }
      guard layer.entries > 0 else {
        throw GeoError(
          "\(source.path) has no entry of the form \(source.kind.rawValue) in it"
            + (layer.skipped > 0
              ? " (\(layer.skipped) lines cannot be read, the first is line "
                + "\(layer.firstSkippedLine)). " : ". ")
            + "Check that it is the right file, and whole.")
      }
      done += weight
      layers.append((source, layer, layer.date ?? fileDate(source.path)))
    }
    let order = layers.indices.sorted { left, right in
      let ranks = (layers[left].source.kind.trustRank, layers[right].source.kind.trustRank)
      if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
      let dates = (layers[left].date, layers[right].date)
      return dates.0 != dates.1 ? dates.0 > dates.1 : left < right
    }
    layers = order.map { layers[$0] }
    let combined = GeoCombination(layers.map(\.layer))
    progress(0.93)
    let provenance = layers.map { source, layer, date in
      GeoProvenance(
        kind: source.kind, file: (source.path as NSString).lastPathComponent, date: date,
        description: layer.description, entries: layer.entries, skipped: layer.skipped,
        firstSkippedLine: layer.firstSkippedLine, multipleOrigins: layer.multipleOrigins)
    }
    let bytes = try GeoSnapshot.encoded(
      records: combined.records, v4: combined.v4, v6: combined.v6, names: combined.names,
      provenance: provenance)
    progress(0.97)
    try GeoSnapshot.write(bytes, to: path)
    progress(1)
    let coverage = combined.v4Coverage
    return GeoImportReport(
      sources: provenance, v4Runs: combined.v4.starts.count, v6Runs: combined.v6.starts.count,
      records: combined.records.count, names: combined.names.count,
      v4CountryCoverage: coverage.country, v4ASNCoverage: coverage.asn,
      snapshotBytes: bytes.count)
  }

  static func layer(of source: GeoSource, progress: (Double) -> Void) throws -> GeoLayer {
    switch source.kind {
    case .maxMindDB: try MaxMindDatabase(path: source.path).layer(progress: progress)
    case .prefixToAS: try read(PrefixToASText.self, source.path, progress)
    case .ipfireLocation: try read(IPFireLocationText.self, source.path, progress)
    case .torGeoIP: try read(TorGeoIPText.self, source.path, progress)
    }
  }

  private static func read<Format: GeoTextFormat>(
    _: Format.Type, _ path: String, _ progress: (Double) -> Void
  ) throws -> GeoLayer {
    let stream = try GeoByteStream(path: path)
    defer { stream.close() }
    var format = Format()
    var cutter = LineCutter()
    var bytes = 0.0
    while let chunk = try stream.next() {
      bytes += Double(chunk.count)
      guard cutter.feed(chunk, { format.read($1, number: $0) }) else {
        throw GeoError(
          "\(path) has a line of more than \(LineCutter.longestLine) bytes behind line "
            + "\(cutter.lines); it is not \(Format.kind.rawValue) text.")
      }
      progress(bytes / max(1, stream.expectedBytes))
    }
    _ = cutter.feed(nil) { format.read($1, number: $0) }
    format.finish()
    return format.layer
  }

  private static func fileDate(_ path: String) -> Timestamp {
    let date = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate]
    return Timestamp(seconds: Int64((date as? Date)?.timeIntervalSince1970 ?? 0))
  }
}

/// All sources as one table.
struct GeoCombination {
  private(set) var records: [GeoRecord] = [.unknown]
  private(set) var v4 = AddressRuns<UInt32>()
  private(set) var v6 = AddressRuns<UInt128>()
  let names: ASNNames

  /// - Parameter layers: the most trusted first.
  init(_ layers: [GeoLayer]) {
    var country4 = AddressRuns<UInt32>()
    var country6 = AddressRuns<UInt128>()
    var asn4 = AddressRuns<UInt32>()
    var asn6 = AddressRuns<UInt128>()
    var allNames: [UInt32: String] = [:]
    for layer in layers {
      country4 = country4.filled(from: AddressRuns(layer.country4))
      country6 = country6.filled(from: AddressRuns(layer.country6))
      asn4 = asn4.filled(from: AddressRuns(layer.asn4))
      asn6 = asn6.filled(from: AddressRuns(layer.asn6))
      allNames.merge(layer.names) { trusted, _ in trusted }
    }
    names = ASNNames(allNames)
    var numbers: [UInt64: UInt32] = [0: 0]
    var records: [GeoRecord] = [.unknown]
    func number(_ country: UInt32, _ asn: UInt32) -> UInt32 {
      let key = UInt64(country) << 32 | UInt64(asn)
      if let known = numbers[key] { return known }
      let number = UInt32(clamping: records.count)
      numbers[key] = number
      records.append(
        GeoRecord(
          country: country == 0
            ? .unknown : CountryCode(packed: UInt16(truncatingIfNeeded: country)), asn: ASN(asn)))
      return number
    }
    v4 = country4.merged(with: asn4, combine: number)
    v6 = country6.merged(with: asn6, combine: number)
    self.records = records
  }

  var v4Coverage: (country: Double, asn: Double) {
    var country: UInt64 = 0
    var asn: UInt64 = 0
    for index in v4.starts.indices {
      let end = index + 1 < v4.starts.count ? UInt64(v4.starts[index + 1]) : 1 << 32
      let size = end - UInt64(v4.starts[index])
      let record = records[Int(v4.numbers[index])]
      if record.country != .unknown { country += size }
      if record.asn != .unknown { asn += size }
    }
    return (Double(country) / 0x1p32, Double(asn) / 0x1p32)
  }
}
