/// What the header of a pcap file says (draft-ietf-opsawg-pcap §4).
@usableFromInline
struct ClassicHeader: BitwiseCopyable, Sendable {
  /// The file was written in the other byte order than this machine's.
  @usableFromInline let swapped: Bool
  @usableFromInline let nanosecondsPerTick: Int64
  @usableFromInline var linkType = LinkType.ethernet

  /// From the magic number as this machine reads it.
  init(magic: UInt32) {
    swapped = magic == 0xd4c3_b2a1 || magic == 0x4d3c_b2a1
    nanosecondsPerTick = magic == 0xa1b2_3c4d || magic == 0x4d3c_b2a1 ? 1 : 1000
  }
}

extension CaptureReader {
  /// Brings the whole next record into the window, or ends the capture and gives false.
  @usableFromInline
  @inline(never)
  mutating func refillClassicRecord() throws(CaptureError) -> Bool {
    guard try window.fill(16) else {
      if window.available == 0 {
        finish()
      } else {
        breakOff("a record header is cut off: \(window.available) of 16 octets are there")
      }
      return false
    }
    let captured = Int(
      window.bytes.loadUInt32(window.position &+ 8, swapped: classic.swapped))
    guard captured <= CaptureParameters.maximumCapturedLength else {
      breakOff(
        "a record claims \(captured) captured octets, more than "
          + "\(CaptureParameters.maximumCapturedLength)")
      return false
    }
    guard try window.fill(16 + captured) else {
      breakOff("a packet is cut off: \(window.available - 16) of \(captured) octets are there")
      return false
    }
    return true
  }
}
