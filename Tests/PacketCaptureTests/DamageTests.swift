import NetworkTypes
import Testing

@testable import PacketCapture

@Suite("Damaged captures")
struct DamageTests {
  static let frames: [[UInt8]] = [
    Octets.ethernet(
      0x0800, Octets.ipv4(6, Octets.tcp(options: [2, 4, 5, 0xb4, 1, 3, 3, 7])))
      + [0, 0],
    Octets.ethernet(0x86dd, Octets.ipv6(17, Octets.udp())),
    Octets.ethernet(
      0x0800, Octets.ipv4(1, [3, 1, 0, 0, 0, 0, 0, 0] + Octets.ipv4(6, Octets.tcp()))),
    Octets.ethernet(
      0x8100, [0, 1, 0x88, 0x64, 0x11, 0, 0, 1, 0, 30, 0, 0x21] + Octets.ipv4(17, Octets.udp())),
  ]

  /// Each file with the offsets at which its packets end.
  static let files: [(bytes: [UInt8], ends: [Int])] = {
    let pcap = Octets.pcap(frames.map { (1, 2, $0) })
    var at = 24
    let pcapEnds = frames.map { frame in
      at += 16 + frame.count
      return at
    }
    var next =
      Octets.section() + Octets.interface(options: [(9, [9]), (14, [1, 0, 0, 0, 0, 0, 0, 0])])
    var nextEnds: [Int] = []
    for (index, frame) in frames.enumerated() {
      next +=
        index == 1
        ? Octets.simple(frame)
        : index == 2 ? Octets.obsolete(0, ticks: 1, frame) : Octets.enhanced(0, ticks: 1, frame)
      nextEnds.append(next.count)
      next += Octets.block(5, [1, 2, 3, 4])
    }
    return [(pcap, pcapEnds), (next, nextEnds)]
  }()

  @Test("a capture cut at any octet gives every whole packet before the cut", arguments: [0, 1])
  func truncation(which: Int) throws {
    let (bytes, ends) = Self.files[which]
    for cut in 0...bytes.count {
      let part = Array(bytes[..<cut])
      if cut < 4 {
        #expect(throws: CaptureError.self) { _ = try CaptureReader(bytes: part).format }
        continue
      }
      let expected = ends.count { $0 <= cut }
      let whole = try drain(CaptureReader(bytes: part))
      #expect(whole.packets.count == expected, "cut at \(cut)")
      #expect(whole.packets.map(\.bytes) == Array(Self.frames[..<expected]))
      let streamed = try drain(CaptureReader(streaming: part))
      #expect(streamed.packets == whole.packets && streamed.ending == whole.ending)
      if cut == bytes.count { #expect(whole.ending == .complete) }
      if case .broken(let offset, _) = whole.ending { #expect(offset <= cut) }
    }
  }

  @Test("one wrong octet anywhere never traps, in the reader or the decoder", arguments: [0, 1])
  func corruption(which: Int) throws {
    let bytes = Self.files[which].bytes
    var headers = PacketHeaders()
    for position in bytes.indices {
      for value in [0, 1, 0x7f, 0x80, 0xff, bytes[position] ^ 1, bytes[position] &+ 4] as [UInt8] {
        var damaged = bytes
        damaged[position] = value
        for stream in [false, true] {
          do throws(CaptureError) {
            var reader =
              stream
              ? try CaptureReader(streaming: damaged) : try CaptureReader(bytes: damaged)
            var count = 0
            while try reader.read(
              limit: 2,
              { record, octets in
                count += 1
                _ = PacketDecoder.decode(record, octets, into: &headers)
              }) > 0
            {}
            #expect(count <= 4)
          } catch {
            // Refused as a whole: the octet was in the file header.
            #expect(position < 24)
          }
        }
      }
    }
  }

  @Test("a packet cut at any octet never traps and never has more payload than octets")
  func truncatedPackets() {
    for frame in Self.frames {
      for cut in 0...frame.count {
        let (outcome, headers) = decode(Array(frame[..<cut]))
        #expect(Int(headers.payloadOffset) + Int(headers.payloadLength) <= cut)
        if cut < 34 { #expect(outcome != .decoded) }
      }
    }
  }
}
