import Foundation
import Testing
import TrustServices

@testable import noroshi

private let opensslPath = "/usr/bin/openssl"

/// What leaves the house, and what is written in it, is sealed and stamped by the house's own authority.
@Suite("Sealed notices and a stamped audit trail", .enabled(if: StampHouse.isBuilt), .serialized)
struct SealedHouseTests {
  private static let capture = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Demo/captures/mirai-synthetic-50bots.pcap").path
  private static let constituency = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Demo/constituency.yaml").path

  private func openssl(_ arguments: String...) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: opensslPath)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test(
    "notices wait for the authority, leave sealed, and openssl alone verifies them",
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: opensslPath), "openssl is not installed"))
  func notices() async throws {
    let house = try StampHouse()
    let root = house.path + "/ca/root.pem"
    try house.run(
      "ca", "issue", "seal", "--organisation", "Example CSIRT", "--organisation-identifier",
      "NTRXX-0000", "--output", house.path + "/seal")
    try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
    house.settings = [
      "NOROSHI_NOTICES_SEALED": "yes", "NOROSHI_SEAL_CERTIFICATE": house.path + "/seal.pem",
      "NOROSHI_SEAL_KEY": house.path + "/seal.key", "NOROSHI_SEAL_ANCHOR": root,
      "NOROSHI_SEAL_TIME_STAMPS": "http://127.0.0.1:9/tsa",
      "NOROSHI_TELESCOPE_NETWORKS": "198.18.0.0/15",
    ]
    try house.run("org", "import", Self.constituency)
    try house.run("telescope", "read", Self.capture)
    try house.run("notice", "prepare")
    // Nobody is at the discard port.
    let refused = try house.run("notice", "send", expecting: ExitStatus.failure.rawValue)
    #expect(refused.contains("wait for their seals"))
    house.settings["NOROSHI_SEAL_TIME_STAMPS"] = house.url
    #expect(try house.run("notice", "send").contains("4 sealed, 4 delivered"))

    let folder = house.path + "/notices/hinode-net"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    let seals = files.filter { $0.hasSuffix(".p7s") }
    #expect(seals.count == 3)
    for seal in seals.map({ folder + "/" + $0 }) {
      let content = String(seal.dropLast(4))
      #expect(
        try openssl(
          "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile",
          root, "-in", seal, "-content", content, "-out", "/dev/null") == 0)
      let report = try house.run("verify", seal, "--content", content, "--trust-anchors", root)
      #expect(report.contains("Level: B-T"))
    }
    // A letter of it changed, and nobody believes it.
    let table = try #require(files.first { $0.hasSuffix(".csv") })
    var octets = try Data(contentsOf: URL(filePath: folder + "/" + table))
    octets[octets.count / 2] ^= 1
    let changed = try house.file("changed.csv", octets)
    try house.run(
      "verify", folder + "/" + table + ".p7s", "--content", changed, "--trust-anchors", root,
      expecting: 2)
  }

  @Test("ends of the audit trail are stamped; a trail that was made anew is found out")
  func auditTrail() async throws {
    let house = try StampHouse()
    let root = house.path + "/ca/root.pem"
    try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
    #expect(try house.run("audit", "stamp", "--tsa", house.url).contains("was the last one at"))
    let verified = try house.run("audit", "verify", "--trust-anchors", root)
    #expect(verified.contains("1 time stamps agree"))
    #expect(verified.contains("their signatures are valid"))
    let folder = house.path + "/audit-stamps"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(names.count == 2)
    if FileManager.default.isExecutableFile(atPath: opensslPath) {
      #expect(
        try openssl(
          "ts", "-verify", "-in", folder + "/" + names[0], "-data", folder + "/" + names[1],
          "-CAfile", root) == 0)
    }
    // Another authority's stamps are not believed.
    let other = try StampHouse()
    try house.run(
      "audit", "verify", "--trust-anchors", other.path + "/ca/root.pem", expecting: 2)

    // The whole trail made anew, with all hashes and its anchor right: only the stamp contradicts.
    let files = FileManager.default
    for name in ["noroshi.sqlite", "noroshi.sqlite-wal", "noroshi.sqlite-shm", "audit-head.json"] {
      try? files.removeItem(atPath: house.path + "/" + name)
      try? files.copyItem(atPath: other.path + "/" + name, toPath: house.path + "/" + name)
    }
    #expect(try house.run("audit", "verify", expecting: 2).contains("is not intact"))
    // A text changed beside its stamp.
    let text = folder + "/" + names[1]
    try Data("noroshi-audit-head-1\n1\nffff\n".utf8).write(to: URL(filePath: text))
    #expect(
      try house.run("audit", "verify", expecting: ExitStatus.badData.rawValue)
        .contains("does not stamp the text"))
  }
}
