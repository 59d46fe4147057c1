import Foundation
import Testing

@testable import noroshi

@Suite("noroshi seal and noroshi verify", .enabled(if: StampHouse.isBuilt), .serialized)
struct SealCommandTests {
  /// One page with one line.
  private static let pdf: [UInt8] = {
    let content = "BT /F1 24 Tf 72 720 Td (Report) Tj ET"
    let objects = [
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
      "<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    var text = "%PDF-1.7\n"
    var offsets: [Int] = []
    for (number, object) in objects.enumerated() {
      offsets.append(text.utf8.count)
      text += "\(number + 1) 0 obj\n\(object)\nendobj\n"
    }
    let table = text.utf8.count
    text += "xref\n0 6\n0000000000 65535 f \n"
    for offset in offsets {
      let digits = String(offset)
      text += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
    }
    text += "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n\(table)\n%%EOF\n"
    return Array(text.utf8)
  }()

  private func sealed(_ house: StampHouse) throws -> [String] {
    try house.run(
      "ca", "issue", "seal", "--organisation", "例示機構", "--organisation-identifier", "NTRXX-0000",
      "--output", house.path + "/seal")
    return ["--key", house.path + "/seal.key", "--certificate", house.path + "/seal.pem"]
  }

  @Test("a PDF is sealed visibly with a time stamp, verified, extended, and found out when changed")
  func pdf() async throws {
    let house = try StampHouse()
    let root = house.path + "/ca/root.pem"
    let keys = try sealed(house)
    try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
    let file = try house.file("report.pdf", Self.pdf)
    try house.run(["seal", file, "--visible", "--level", "b-t", "--tsa", house.url] + keys)
    let sealed = house.path + "/report.sealed.pdf"
    #expect(try Data(contentsOf: URL(filePath: sealed)).starts(with: Self.pdf))
    let report = try house.run("verify", sealed, "--trust-anchors", root)
    #expect(report.contains("Organisation: 例示機構") && report.contains("Level: B-T"))
    // Without knowing whom to trust, neither yes nor no.
    try house.run("verify", sealed, expecting: 3)

    let archived = house.path + "/archived.pdf"
    try house.run([
      "seal", sealed, "--extend", "--level", "b-lta", "--tsa", house.url, "--crl",
      house.path + "/ca/crl.der", "--trust-anchors", root, "--offline", "--output", archived,
    ])
    #expect(
      try house.run("verify", archived, "--trust-anchors", root, "--language", "ja")
        .contains("B-LTA"))

    var octets = try Data(contentsOf: URL(filePath: sealed))
    let place = try #require(octets.firstRange(of: Data("(Report)".utf8))).lowerBound
    octets[place + 1] ^= 1
    let changed = try house.file("changed.pdf", octets)
    try house.run("verify", changed, "--trust-anchors", root, expecting: 2)
  }

  @Test("a certificate that is refused leaves no key in the way of the next try")
  func refusedCertificate() throws {
    let house = try StampHouse()
    let name = house.path + "/q"
    try house.run(
      "ca", "issue", "seal", "--organisation-identifier", "NTRXX-0000", "--output", name,
      expecting: ExitStatus.badData.rawValue)
    #expect(!FileManager.default.fileExists(atPath: name + ".key"))
    try house.run(
      "ca", "issue", "seal", "--organisation", "例示機構", "--organisation-identifier", "NTRXX-0000",
      "--output", name)
    #expect(FileManager.default.fileExists(atPath: name + ".key"))
  }

  @Test("what cannot be sealed or verified is refused with a sentence")
  func refusals() throws {
    let house = try StampHouse()
    let keys = try sealed(house)
    let broken = try house.file("broken.pdf", Self.pdf.prefix(200))
    try house.run(["seal", broken] + keys, expecting: ExitStatus.badData.rawValue)
    let good = try house.file("good.pdf", Self.pdf)
    try house.run(["seal", good] + keys)
    // Never over a file that is there.
    try house.run(["seal", good] + keys, expecting: ExitStatus.cannotCreate.rawValue)
    try house.run(
      "seal", good, "--key", good, "--certificate", house.path + "/seal.pem",
      expecting: ExitStatus.badData.rawValue)
    #expect(
      try house.run(["seal", good, "--level", "b-t"] + keys, expecting: ExitStatus.usage.rawValue)
        .contains("--tsa"))
    #expect(
      try house.run(
        ["seal", good, "--level", "b-t", "--tsa", "nonsense", "--output", house.path + "/x.pdf"]
          + keys, expecting: ExitStatus.usage.rawValue
      ).contains("is no address"))
    try house.run("verify", house.path + "/nothing.pdf", expecting: ExitStatus.noInput.rawValue)
    try house.run("verify", broken, expecting: 2)
  }
}
