import Anonymisation
import Foundation
import NetworkTypes
import Testing

@Suite("Crypto-PAn")
struct CryptoPAnTests {
  /// The key of the authors' sample program.
  static let referenceKey = AnonymisationKey(bytes: [
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121,
    121,
    101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
  ])

  private func reference() throws -> CryptoPAn { CryptoPAn(key: try #require(Self.referenceKey)) }

  @Test(
    "the sample trace of the reference program is anonymised as its authors publish it",
    arguments: [
      ("128.11.68.132", "135.242.180.132"), ("129.118.74.4", "134.136.186.123"),
      ("130.132.252.244", "133.68.164.234"), ("141.223.7.43", "141.167.8.160"),
      ("141.233.145.108", "141.129.237.235"), ("152.163.225.39", "151.140.114.167"),
    ])
  func publishedVectors(original: String, pseudonym: String) throws {
    let address = try #require(IPAddress(original))
    let mapper = try reference()
    #expect(mapper.anonymised(address) == IPAddress(pseudonym))
    var cached = CachedCryptoPAn(mapper)
    for _ in 0..<3 { #expect(cached.anonymised(address) == IPAddress(pseudonym)) }
  }

  @Test(
    "IPv6 and the edges of IPv4 are as the program yacryptopan 1.0.2 writes them",
    arguments: [
      ("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"),
      ("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"),
      ("fe80::1", "cf7f:c0e:1fc3:da1c:70:b18e:f7f3:2101"),
      ("0.0.0.0", "120.255.240.1"), ("255.255.255.255", "206.120.97.255"),
      ("192.0.2.1", "252.255.2.112"),
    ])
  func otherProgram(original: String, pseudonym: String) throws {
    let mapper = try reference()
    var cached = CachedCryptoPAn(mapper)
    let address = try #require(IPAddress(original))
    #expect(mapper.anonymised(address).description == pseudonym)
    #expect(cached.anonymised(address).description == pseudonym)
    #expect(cached.anonymised(address).description == pseudonym)
  }

  @Test("two IPv4 addresses share exactly as many leading bits after as before", arguments: 0..<33)
  func commonPrefix4(shared: Int) {
    let mapper = CryptoPAn(key: .random())
    for _ in 0..<40 {
      let one = UInt32.random(in: 0...UInt32.max)
      // Equal in the first bits, different in the next, anything behind.
      let differing: UInt32 = shared == 32 ? 0 : 1 << UInt32(31 - shared)
      let two = one ^ differing ^ (differing == 0 ? 0 : UInt32.random(in: 0..<differing))
      #expect((one ^ two).leadingZeroBitCount == shared)
      let left = mapper.anonymised(IPAddress(v4: one)).v4 ?? 0
      let right = mapper.anonymised(IPAddress(v4: two)).v4 ?? 0
      #expect((left ^ right).leadingZeroBitCount == shared)
    }
  }

  @Test(
    "two IPv6 addresses share exactly as many leading bits after as before",
    arguments: Array(stride(from: 0, through: 128, by: 4)))
  func commonPrefix6(shared: Int) {
    let mapper = CryptoPAn(key: .random())
    for _ in 0..<10 {
      let one = UInt128.random(in: 0...UInt128.max)
      let differing: UInt128 = shared == 128 ? 0 : 1 << UInt128(127 - shared)
      let two = one ^ differing ^ (differing == 0 ? 0 : UInt128.random(in: 0..<differing))
      let left = mapper.anonymised(IPAddress(bits: one)).bits
      let right = mapper.anonymised(IPAddress(bits: two)).bits
      #expect((left ^ right).leadingZeroBitCount == shared)
    }
  }

  @Test("the cache never changes an answer, however full it is")
  func cacheAgrees() {
    let mapper = CryptoPAn(key: .random())
    var cached = CachedCryptoPAn(mapper)
    var addresses = (0..<4000).map { _ in IPAddress(v4: UInt32.random(in: 0...UInt32.max)) }
    addresses += (0..<4000).map { _ in IPAddress(v4: UInt32.random(in: 0...0xffff)) }
    addresses += (0..<400).map { IPAddress(high: UInt64.random(in: 0...8), low: UInt64($0 % 60)) }
    for address in addresses + addresses.shuffled() {
      #expect(cached.anonymised(address) == mapper.anonymised(address))
    }
  }

  @Test("no two addresses of a network get the same pseudonym, and the network stays one")
  func bijective() throws {
    let mapper = CryptoPAn(key: .random())
    let block = try #require(IPPrefix("198.51.100.0/22"))
    let pseudonym = mapper.anonymised(block)
    #expect(pseudonym.length == 22)
    let all = Set((0..<1024).map { mapper.anonymised(IPAddress(bits: block.first.bits + $0)) })
    #expect(all.count == 1024)
    #expect(all.allSatisfy { pseudonym.contains($0) })
  }

  @Test("an address keeps its family, another key gives another pseudonym")
  func families() throws {
    let one = CryptoPAn(key: .random())
    let two = CryptoPAn(key: .random())
    let six = try #require(IPAddress("2001:db8::1"))
    #expect(!one.anonymised(six).isIPv4)
    #expect(one.anonymised(IPAddress(v4: 1)).isIPv4)
    #expect(one.anonymised(six) != two.anonymised(six))
  }

  private static let hasYacryptopan = ((try? run(["-c", "import yacryptopan"]))?.status ?? 1) == 0

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test(
    "600 random addresses and a random key agree with yacryptopan",
    .enabled(if: hasYacryptopan))
  func agreesWithYacryptopan() throws {
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
    let mapper = CryptoPAn(key: try #require(AnonymisationKey(bytes: bytes)))
    var addresses = (0..<500).map { _ in IPAddress(v4: UInt32.random(in: 0...UInt32.max)) }
    addresses += (0..<100).map { _ in
      IPAddress(high: UInt64.random(in: 1...UInt64.max), low: UInt64.random(in: 0...UInt64.max))
    }
    let script = """
      import sys, yacryptopan
      c = yacryptopan.CryptoPAn(bytes([\(bytes.map(String.init).joined(separator: ","))]))
      for a in sys.argv[1:]: print(c.anonymize(a))
      """
    let answers = try Self.run(["-c", script] + addresses.map(\.description)).output
      .split(separator: "\n").map(String.init)
    try #require(answers.count == addresses.count)
    for (address, answer) in zip(addresses, answers) {
      #expect(mapper.anonymised(address) == IPAddress(answer), "\(address)")
    }
  }
}

@Suite("Anonymisation keys")
struct AnonymisationKeyTests {
  private func file() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID().uuidString)").path
  }

  @Test("a key comes back from its file, which only its owner may read")
  func roundTrip() throws {
    let path = file()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let key = AnonymisationKey.random()
    try key.save(to: path)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let address = IPAddress(v4: 0xc000_0201)
    #expect(
      CryptoPAn(key: try AnonymisationKey(contentsOf: path)).anonymised(address)
        == CryptoPAn(key: key).anonymised(address))
    #expect(throws: AnonymisationError.self, "an older key is not overwritten") {
      try AnonymisationKey.random().save(to: path)
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(throws: AnonymisationError.self) { try AnonymisationKey(contentsOf: path) }
  }

  @Test("what is not a key is refused")
  func refused() throws {
    #expect(AnonymisationKey(bytes: [1, 2, 3]) == nil)
    let path = file()
    defer { try? FileManager.default.removeItem(atPath: path) }
    for text in ["", "00", String(repeating: "g", count: 64), String(repeating: "0", count: 63)] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      #expect(throws: AnonymisationError.self) { try AnonymisationKey(contentsOf: path) }
    }
    #expect(throws: AnonymisationError.self) { try AnonymisationKey(contentsOf: path + "-absent") }
    #expect(throws: AnonymisationError.self) {
      try AnonymisationKey(passphrase: "short", dataset: "x")
    }
  }

  @Test("a passphrase gives the same key again, another data set another key")
  func passphrase() throws {
    let address = IPAddress(v4: 0xc000_0201)
    let pseudonyms = try [("a", "2026-11"), ("a", "2026-11"), ("a", "2026-12"), ("b", "2026-11")]
      .map {
        CryptoPAn(key: try AnonymisationKey(passphrase: "correct horse battery \($0)", dataset: $1))
          .anonymised(address)
      }
    #expect(pseudonyms[0] == pseudonyms[1])
    #expect(Set(pseudonyms).count == 3)
  }

  @Test("a key does not show itself")
  func hidden() {
    let key = AnonymisationKey.random()
    #expect("\(key)" == "AnonymisationKey(hidden)")
    #expect(String(reflecting: key).contains("hidden"))
    #expect(Mirror(reflecting: key).children.isEmpty)
  }
}
