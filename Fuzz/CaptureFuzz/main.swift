import NetworkTypes
import PacketCapture

/// The link types whose decoding is tried on every input.
private let linkTypes: [LinkType] = [
  .ethernet, .null, .loop, .raw, .rawBSD, .rawOpenBSD, .linuxCooked, .linuxCooked2, .ipv4, .ipv6,
]

/// Says what must hold for any decoded packet; a broken promise traps and so becomes a finding.
private func check(_ linkType: LinkType, _ bytes: RawSpan) {
  var headers = PacketHeaders()
  let record = PacketRecord(
    timestamp: Timestamp(nanoseconds: 1), index: 0, capturedLength: UInt32(bytes.byteCount),
    originalLength: UInt32(bytes.byteCount), linkType: linkType)
  let outcome = PacketDecoder.decode(record, bytes, into: &headers)
  precondition(Int(headers.payloadOffset) + Int(headers.payloadLength) <= bytes.byteCount)
  precondition(Int(headers.transportOffset) <= max(bytes.byteCount, 65_535))
  if outcome == .decoded {
    precondition(headers.payloadOffset >= headers.transportOffset)
    precondition(headers.source.bits != 0 || headers.ipLength > 0)
  }
}

/// Reads the input as a capture of any format, and as one packet of each link type.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCapture(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = UnsafeBufferPointer(start: start, count: count)
  for linkType in linkTypes {
    check(linkType, RawSpan(_unsafeElements: input))
  }
  guard var reader = try? CaptureReader(bytes: Array(input)) else { return 0 }
  var packets = 0
  var octets = 0
  // A compressed input may unpack to very much; the first packets say enough.
  while packets < 10_000 {
    let got = try? reader.read(limit: 100) { record, bytes in
      precondition(Int(record.capturedLength) == bytes.byteCount && record.index == packets)
      packets += 1
      octets += bytes.byteCount
      check(record.linkType, bytes)
    }
    guard let got, got > 0 else { break }
  }
  if reader.compression == .none { precondition(octets <= count) }
  return 0
}
