import Anonymisation
import Foundation
import NetworkTypes
import PacketCapture
import Testing

@testable import noroshi

private let demo = URL(filePath: #filePath).resolvingSymlinksInPath()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "Demo/captures")

private func key() -> AnonymisationKey {
  // 32 bytes, the only condition of the initialiser.
  AnonymisationKey(bytes: (0..<32).map { UInt8($0) }) ?? .random()
}

/// The decoded packets of a capture, and how many cannot be decoded.
private func packets(_ path: String) throws -> [PacketHeaders] {
  var reader = try CaptureReader(path: path)
  var packets: [PacketHeaders] = []
  while try reader.read(
    limit: 1_000,
    { record, bytes in
      var headers = PacketHeaders()
      if PacketDecoder.decode(record, bytes, into: &headers) == .decoded { packets.append(headers) }
    }) > 0
  {}
  return packets
}

private func anonymised(_ name: String, payload: Int = 0) throws -> (
  before: [PacketHeaders], after: [PacketHeaders], path: String
) {
  let source = demo.appending(path: name).path
  let target = FileManager.default.temporaryDirectory
    .appending(path: "noroshi-\(UUID().uuidString).pcap").path
  var anonymiser = CaptureAnonymiser(key: key(), payloadOctets: payload)
  let counts = try anonymiser.run(from: source, to: target)
  let result = (before: try packets(source), after: try packets(target), path: target)
  #expect(counts.ending == .complete)
  #expect(counts.written == result.after.count)
  return result
}

private let hasTcpdump = MachineChecks.isInstalled("tcpdump")

@Suite("An anonymised capture")
struct AnonymiseTests {
  @Test(
    "has every packet, with pseudonyms for addresses and everything else as it was",
    arguments: [
      "backscatter-2009.pcap", "mirai-synthetic-50bots.pcap", "masscan-1.3.2-tcp.pcap",
      "zmap-git2026-tcp-default.pcap",
    ])
  func addresses(name: String) throws {
    let (before, after, path) = try anonymised(name)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let mapper = CryptoPAn(key: key())
    #expect(before.count == after.count)
    for (old, new) in zip(before, after) {
      #expect(new.source == mapper.anonymised(old.source))
      #expect(new.destination == mapper.anonymised(old.destination))
      #expect(new.timestamp == old.timestamp)
      #expect(new.destinationPort == old.destinationPort && new.sourcePort == old.sourcePort)
      #expect(new.tcpFlags == old.tcpFlags && new.window == old.window)
      #expect(new.optionLayout == old.optionLayout && new.timeToLive == old.timeToLive)
      if old.traits.contains(.quotesPacket) {
        #expect(new.traits.contains(.quotesPacket))
        #expect(new.quotedDestination == mapper.anonymised(old.quotedDestination))
        #expect(new.traits.contains(.quoteMismatch) == old.traits.contains(.quoteMismatch))
      }
    }
  }

  @Test("keeps the marks by which Mirai and masscan are known, without their addresses")
  func marks() throws {
    let mirai = try anonymised("mirai-synthetic-50bots.pcap")
    defer { try? FileManager.default.removeItem(atPath: mirai.path) }
    #expect(mirai.after.allSatisfy { $0.sequence == $0.destination.v4 })
    #expect(zip(mirai.before, mirai.after).allSatisfy { $0.sequence != $1.sequence })
    let masscan = try anonymised("masscan-1.3.2-tcp.pcap")
    defer { try? FileManager.default.removeItem(atPath: masscan.path) }
    for packets in [masscan.before, masscan.after] {
      let marked = packets.filter { packet in
        let destination = packet.destination.v4 ?? 0
        return packet.identification
          == UInt16(
            truncatingIfNeeded: destination ^ UInt32(packet.destinationPort) ^ packet.sequence)
      }
      #expect(marked.count == packets.count)
    }
  }

  @Test("holds no address of the original, in any byte")
  func noAddressLeft() throws {
    let (before, _, path) = try anonymised("backscatter-2009.pcap")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    var seen: Set<UInt32> = []
    for packet in before {
      for address in [packet.source, packet.destination] { seen.insert(address.v4 ?? 0) }
      if packet.traits.contains(.quotesPacket) { seen.insert(packet.quotedDestination.v4 ?? 0) }
    }
    // Chance makes some of 370,000 windows of 4 octets equal to one of 700 addresses: 0.06 of them.
    var found = 0
    var window: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
      window = window << 8 | UInt32(byte)
      if index >= 3, seen.contains(window) { found += 1 }
    }
    #expect(found <= 2)
  }

  @Test("has right checksums where the original had", .enabled(if: hasTcpdump))
  func checksums() throws {
    for name in ["mirai-synthetic-50bots.pcap", "nmap-7.93-syn.pcap", "backscatter-2009.pcap"] {
      let (_, _, path) = try anonymised(name, payload: 65_535)
      defer { try? FileManager.default.removeItem(atPath: path) }
      func wrong(_ file: String) throws -> Int {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["tcpdump", "-nvv", "-r", file]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").filter {
          $0.contains("incorrect") || $0.contains("bad cksum") || $0.contains("wrong icmp cksum")
        }.count
      }
      #expect(try wrong(path) == wrong(demo.appending(path: name).path), "\(name)")
    }
  }

  @Test("leaves payload out unless it is asked for")
  func payload() throws {
    let (before, after, path) = try anonymised("backscatter-2009.pcap")
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(before.contains { $0.transport == .udp && $0.payloadLength > 0 })
    #expect(after.allSatisfy { $0.transport != .udp || $0.payloadLength == 0 })
  }

  @Test("damaged packets are left out, and nothing traps")
  func damage() throws {
    var bytes = [UInt8](
      try #require(
        FileManager.default.contents(atPath: demo.appending(path: "nmap-7.93-syn.pcap").path)))
    let target = FileManager.default.temporaryDirectory
      .appending(path: "noroshi-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: target) }
    var state: UInt64 = 42
    for _ in 0..<2_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let index = 40 + Int(state >> 33) % (bytes.count - 40)
      // Not the record headers, so that the reader gets through.
      guard (index - 24) % 74 >= 16 else { continue }
      bytes[index] = UInt8(truncatingIfNeeded: state >> 20)
    }
    let source = target.path + ".in"
    defer { try? FileManager.default.removeItem(atPath: source) }
    try Data(bytes).write(to: URL(filePath: source))
    var anonymiser = CaptureAnonymiser(key: key(), payloadOctets: 20)
    let counts = try anonymiser.run(from: source, to: target.path)
    #expect(counts.written + counts.leftOut > 0)
  }
}
