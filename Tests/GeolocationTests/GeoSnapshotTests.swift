import Foundation
import NetworkTypes
import Testing

@testable import Geolocation

@Suite("The snapshot file")
struct GeoSnapshotTests {
  private func sample() throws -> [UInt8] {
    var layer = GeoLayer()
    for network in GeoFixtures.networks {
      layer.add(
        first: network.prefix.first, last: network.prefix.last,
        country: UInt32(CountryCode(network.country)?.packed ?? 0), asn: network.asn)
      layer.names[network.asn] = network.name
    }
    let combination = GeoCombination([layer])
    return try GeoSnapshot.encoded(
      records: combination.records, v4: combination.v4, v6: combination.v6,
      names: combination.names,
      provenance: [
        GeoProvenance(
          kind: .prefixToAS, file: "x", date: Timestamp(seconds: 1), description: "", entries: 1,
          skipped: 0, firstSkippedLine: 0, multipleOrigins: 0)
      ])
  }

  private func withChecksum(_ body: [UInt8]) -> [UInt8] {
    let checksum = CRC32.of(body, count: body.count)
    return body + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(8 * $0)) }
  }

  @Test("everything comes back")
  func roundTrip() throws {
    let geo = GeoDatabase(try GeoSnapshot(bytes: sample()), live: [])
    for probe in GeoFixtures.probes {
      #expect(geo.lookup(probe) == GeoFixtures.truth[probe] ?? .unknown)
    }
    for network in GeoFixtures.networks { #expect(geo.asnName(ASN(network.asn)) == network.name) }
    #expect(geo.provenance.count == 1)
  }

  @Test("the checksum is that of IEEE 802.3")
  func checksum() {
    let digits = Array("123456789".utf8)
    #expect(CRC32.of(digits, count: 9) == 0xcbf4_3926)
    #expect(CRC32.of([], count: 0) == 0)
    let long = Array("The quick brown fox jumps over the lazy dog".utf8)
    #expect(CRC32.of(long, count: long.count) == 0x414f_a339)
  }

  @Test("each changed byte and each cut is noticed")
  func damage() throws {
    let bytes = try sample()
    var random = SeededGenerator(seed: 5)
    for _ in 0..<400 {
      var changed = bytes
      changed[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8(random.next() % 8)
      #expect(throws: GeoSnapshot.SnapshotProblem.self) { try GeoSnapshot(bytes: changed) }
      let cut = Array(bytes[..<Int.random(in: 0..<bytes.count, using: &random)])
      #expect(throws: GeoSnapshot.SnapshotProblem.self) { try GeoSnapshot(bytes: cut) }
    }
  }

  @Test("hostile content behind a right checksum never traps and never answers out of its records")
  func hostile() throws {
    let body = Array(try sample().dropLast(4))
    var random = SeededGenerator(seed: 6)
    var accepted = 0
    for round in 0..<800 {
      var changed = body
      for _ in 0...(round % 5) {
        let place = Int.random(in: 9..<body.count, using: &random)
        changed[place] = UInt8(truncatingIfNeeded: random.next() | (round % 2 == 0 ? 0x80 : 0))
      }
      if round % 7 == 0 {
        changed = Array(changed[..<Int.random(in: 9..<body.count, using: &random)])
      }
      guard let snapshot = try? GeoSnapshot(bytes: withChecksum(changed)) else { continue }
      accepted += 1
      guard accepted % 20 == 0 else { continue }
      let geo = GeoDatabase(snapshot, live: [])
      for probe in GeoFixtures.probes.prefix(100) {
        let record = geo.lookup(probe)
        _ = geo.asnName(record.asn)
        _ = record.country.name(in: .english)
      }
    }
    #expect(accepted > 0, "some changes touch only names and numbers")
  }

  @Test("a file of another version, or no such file, says what to do")
  func messages() throws {
    var bytes = Array(try sample().dropLast(4))
    bytes[8] = 9
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/geo.noroshi"
    try Data(withChecksum(bytes)).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: GeoError.self) { try GeoDatabase(snapshot: path) }
    #expect(error?.description.contains("format 9") == true)
    #expect(error?.description.contains("noroshi geo import") == true)
    let absent = #expect(throws: GeoError.self) { try GeoDatabase(snapshot: "\(folder)/absent") }
    #expect(absent?.description.contains("noroshi geo import") == true)
  }
}
