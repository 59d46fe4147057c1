/// The start of a capture: its format, and the file header of pcap (draft-ietf-opsawg-pcap §4).
struct CapturePreamble {
  let format: CaptureReader.Format
  private(set) var classic: ClassicHeader
  /// Why no packet can be read, although the format is known.
  private(set) var fault: String?

  /// Reads the start, and leaves the window at the first record or block.
  init(of window: inout CaptureWindow, path: String) throws(CaptureError) {
    guard try window.fill(4) else {
      throw .notACapture(
        path: path,
        reason: window.source?.damage
          ?? (window.available == 0 ? "it is empty" : "it ends within its first four octets"))
    }
    let magic = window.bytes.loadUInt32(0, swapped: false)
    classic = ClassicHeader(magic: magic)
    switch magic {
    case 0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1: format = .pcap
    case 0x0a0d_0d0a:
      format = .pcapng
      return
    case 0xa1b2_cd34, 0x34cd_b2a1:
      throw .unsupportedFormat(
        path: path,
        reason: "modified pcap (magic a1b2cd34, Kuznetzov's patch) is not read; "
          + "convert it with: editcap -F pcapng FROM TO")
    default:
      var octets: [String] = []
      for index in 0..<4 {
        let digits = String(window.bytes.loadByte(index), radix: 16)
        octets.append(digits.count < 2 ? "0" + digits : digits)
      }
      throw .notACapture(path: path, reason: "it begins with \(octets.joined(separator: " "))")
    }
    guard try window.fill(24) else {
      fault = "the file header is cut off: \(window.available) of 24 octets are there"
      return
    }
    let major = window.bytes.loadUInt16(4, swapped: classic.swapped)
    let minor = window.bytes.loadUInt16(6, swapped: classic.swapped)
    guard major == 2, minor >= 3 else {
      throw .unsupportedFormat(
        path: path,
        reason: "pcap version \(major).\(minor) is not read, only 2.4; "
          + "convert it with: editcap -F pcapng FROM TO")
    }
    // The upper half holds the length of the frame check sequence, which the IP length leaves out.
    let link = window.bytes.loadUInt32(20, swapped: classic.swapped)
    classic.linkType = LinkType(rawValue: UInt16(truncatingIfNeeded: link))
    window.position = 24
  }
}
