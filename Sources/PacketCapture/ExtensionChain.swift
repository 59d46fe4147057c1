/// The extension headers between an IPv6 header and its transport (RFC 8200 §4).
struct ExtensionChain: BitwiseCopyable {
  /// Where the transport header starts.
  private(set) var offset: Int
  /// The first next-header number that is no extension header.
  private(set) var transport: UInt8
  private(set) var isFragment = false
  /// A fragment other than the first: no transport header follows.
  private(set) var isLaterFragment = false
  private(set) var fault: DecodeOutcome?

  /// Walks from the first extension header to `end`, where the captured octets of the packet end.
  init(_ bytes: RawSpan, at start: Int, end: Int, next: UInt8) {
    offset = start
    transport = next
    for _ in 0..<CaptureParameters.maximumExtensionHeaders {
      guard Self.isExtension(transport) else { return }
      guard end &- offset >= 8 else {
        fault = .truncatedIP
        return
      }
      let next = bytes.loadByte(offset)
      let units = Int(bytes.loadByte(offset &+ 1))
      let length: Int
      switch transport {
      case 44:
        length = 8
        isFragment = true
        isLaterFragment = bytes.loadBig16(offset &+ 2) & 0xfff8 != 0
      case 51: length = (units &+ 2) &* 4  // RFC 4302 §2.2
      default: length = (units &+ 1) &* 8
      }
      guard length <= end &- offset else {
        fault = .truncatedIP
        return
      }
      offset &+= length
      transport = next
      if isLaterFragment { return }
    }
    if Self.isExtension(transport) { fault = .tooManyLayers }
  }

  /// Hop-by-hop, routing, fragment, authentication, destination options; HIP and shim6.
  private static func isExtension(_ number: UInt8) -> Bool {
    switch number {
    case 0, 43, 44, 51, 60, 139, 140: true
    default: false
    }
  }
}
