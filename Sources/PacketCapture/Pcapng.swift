import NetworkTypes

/// What the current section of a pcapng file has told so far (draft-ietf-opsawg-pcapng §4).
@usableFromInline
struct PcapngSection: Sendable {
  /// The section was written in the other byte order than this machine's.
  var swapped = false
  var interfaces: [PcapngInterface] = []
  /// The time of the last packet, for simple packet blocks.
  var lastTimestamp: Int64 = 0
  /// Where the current packet's octets and the block behind it start in the window.
  @usableFromInline var packetStart = 0
  @usableFromInline var nextBlock = 0
  var begun = false
}

/// An interface description block (§4.2).
struct PcapngInterface: BitwiseCopyable, Sendable {
  var linkType: LinkType
  /// Captured octets per packet at most; 0 is "no limit".
  var snapshotLength: UInt32
  var resolution = Resolution.decimal(multiplier: 1000, divisor: 1)
  /// Nanoseconds to add: if_tsoffset.
  var offset: Int64 = 0

  /// The if_tsresol option.
  enum Resolution: BitwiseCopyable, Sendable {
    case decimal(multiplier: UInt64, divisor: UInt64)
    case binary(shift: UInt64)

    init(option: UInt8) {
      let exponent = Int(option & 0x7f)
      if option & 0x80 != 0 {
        self = .binary(shift: UInt64(exponent))
      } else if exponent <= 9 {
        self = .decimal(multiplier: Self.powerOfTen(9 - exponent), divisor: 1)
      } else {
        // Beyond 10^19 ticks no 64-bit count reaches a nanosecond.
        self = .decimal(multiplier: 1, divisor: Self.powerOfTen(min(exponent - 9, 19)))
      }
    }

    private static func powerOfTen(_ exponent: Int) -> UInt64 {
      (0..<exponent).reduce(1) { value, _ in value * 10 }
    }
  }

  /// Nanoseconds since 1970; a time beyond the range of ``Timestamp`` becomes its end.
  func nanoseconds(ticks: UInt64) -> Int64 {
    let span: Int64
    switch resolution {
    case .decimal(let multiplier, let divisor):
      let (product, overflow) = ticks.multipliedReportingOverflow(by: multiplier)
      span = overflow ? .max : Int64(clamping: product / divisor)
    case .binary(let shift):
      let wide = UInt128(ticks) * 1_000_000_000
      span = Int64(clamping: wide >> UInt128(shift))
    }
    let (sum, overflow) = span.addingReportingOverflow(offset)
    return overflow ? (offset > 0 ? .max : .min) : sum
  }
}

extension CaptureReader {
  /// Goes on to the next packet of any block type, or gives false at the end or when it would have
  /// to wait and must not.
  @usableFromInline
  @inline(never)
  mutating func nextBlockPacket(
    _ record: inout PacketRecord, mayWait: Bool
  ) throws(CaptureError) -> Bool {
    while true {
      if window.available < 12 {
        if !mayWait, isStream { return false }
        guard try window.fill(12) else {
          if window.available == 0 {
            finish()
          } else {
            breakOff("a block header is cut off: \(window.available) octets are there")
          }
          return false
        }
      }
      let at = window.position
      let type = window.bytes.loadUInt32(at, swapped: section.swapped)
      if type == 0x0a0d_0d0a {
        // The byte order of a new section is told by the section itself.
        switch window.bytes.loadUInt32(at &+ 8, swapped: false) {
        case 0x1a2b_3c4d: section.swapped = false
        case 0x4d3c_2b1a: section.swapped = true
        default:
          breakOff("a section header block has no byte-order magic")
          return false
        }
        section.interfaces.removeAll(keepingCapacity: true)
        section.begun = true
      } else if !section.begun {
        breakOff("the file does not begin with a section header block")
        return false
      }
      let length = Int(window.bytes.loadUInt32(at &+ 4, swapped: section.swapped))
      guard length >= 12, length & 3 == 0, length <= CaptureParameters.maximumBlockLength else {
        breakOff("a block claims a length of \(length) octets")
        return false
      }
      if window.available < length {
        if !mayWait, isStream { return false }
        guard try window.fill(length) else {
          breakOff("a block is cut off: \(window.available) of \(length) octets are there")
          return false
        }
      }
      let start = window.position
      let trailer = Int(
        window.bytes.loadUInt32(start &+ length &- 4, swapped: section.swapped))
      guard trailer == length else {
        breakOff("a block of \(length) octets ends with the length \(trailer)")
        return false
      }
      section.nextBlock = start &+ length
      let fault: String?
      switch type {
      case 6:
        fault = packet(&record, length, fixed: 28, interface: nil)
        if fault == nil { return true }
      case 2:
        fault = packet(
          &record, length, fixed: 28,
          interface: Int(window.bytes.loadUInt16(start &+ 8, swapped: section.swapped)))
        if fault == nil { return true }
      case 3:
        fault = simplePacket(&record, length)
        if fault == nil { return true }
      case 1: fault = interface(length)
      case 0x0a0d_0d0a: fault = sectionHeader(length)
      default: fault = nil
      }
      if let fault {
        breakOff(fault)
        return false
      }
      window.position = section.nextBlock
    }
  }

  /// An enhanced packet block (§4.3), or with an interface number the obsolete packet block.
  private mutating func packet(
    _ record: inout PacketRecord, _ length: Int, fixed: Int, interface number: Int?
  ) -> String? {
    guard length >= fixed + 4 else { return "a packet block of \(length) octets is too short" }
    let start = window.position
    let swapped = section.swapped
    let id = number ?? Int(window.bytes.loadUInt32(start &+ 8, swapped: swapped))
    guard id < section.interfaces.count else {
      return "a packet block names interface \(id), which is not described"
    }
    let interface = section.interfaces[id]
    let captured = window.bytes.loadUInt32(start &+ 20, swapped: swapped)
    guard Int(captured) <= length &- fixed &- 4,
      Int(captured) <= CaptureParameters.maximumCapturedLength
    else { return "a packet block of \(length) octets claims \(captured) captured octets" }
    let ticks =
      UInt64(window.bytes.loadUInt32(start &+ 12, swapped: swapped)) << 32
      | UInt64(window.bytes.loadUInt32(start &+ 16, swapped: swapped))
    section.lastTimestamp = interface.nanoseconds(ticks: ticks)
    record.timestamp = Timestamp(nanoseconds: section.lastTimestamp)
    record.capturedLength = captured
    record.originalLength = window.bytes.loadUInt32(start &+ 24, swapped: swapped)
    record.linkType = interface.linkType
    section.packetStart = start &+ fixed
    return nil
  }

  /// A simple packet block (§4.4): interface 0, no time, cut at the interface's snapshot length.
  private mutating func simplePacket(_ record: inout PacketRecord, _ length: Int) -> String? {
    guard length >= 16 else { return "a simple packet block of \(length) octets is too short" }
    guard let interface = section.interfaces.first else {
      return "a simple packet block comes before any interface"
    }
    let start = window.position
    let original = window.bytes.loadUInt32(start &+ 8, swapped: section.swapped)
    var captured = original
    if interface.snapshotLength > 0 { captured = min(captured, interface.snapshotLength) }
    guard Int(captured) <= length &- 16,
      Int(captured) <= CaptureParameters.maximumCapturedLength
    else { return "a simple packet block of \(length) octets claims \(captured) octets" }
    record.timestamp = Timestamp(nanoseconds: section.lastTimestamp)
    record.capturedLength = captured
    record.originalLength = original
    record.linkType = interface.linkType
    section.packetStart = start &+ 12
    return nil
  }

  /// A section header block (§4.1).
  private mutating func sectionHeader(_ length: Int) -> String? {
    guard length >= 28 else { return "a section header block of \(length) octets is too short" }
    let major = window.bytes.loadUInt16(window.position &+ 12, swapped: section.swapped)
    return major == 1 ? nil : "pcapng version \(major) is not known"
  }

  private mutating func interface(_ length: Int) -> String? {
    guard length >= 20 else {
      return "an interface description block of \(length) octets is too short"
    }
    guard section.interfaces.count < CaptureParameters.maximumInterfaces else {
      return "a section describes more than \(CaptureParameters.maximumInterfaces) interfaces"
    }
    let start = window.position
    let swapped = section.swapped
    var interface = PcapngInterface(
      linkType: LinkType(rawValue: window.bytes.loadUInt16(start &+ 8, swapped: swapped)),
      snapshotLength: window.bytes.loadUInt32(start &+ 12, swapped: swapped))
    // Options: code, length, value padded to four octets (§3.5).
    var at = start &+ 16
    let end = start &+ length &- 4
    while at &+ 4 <= end {
      let code = window.bytes.loadUInt16(at, swapped: swapped)
      let size = Int(window.bytes.loadUInt16(at &+ 2, swapped: swapped))
      guard code != 0 else { break }
      guard size <= end &- at &- 4 else { return "an option of an interface runs past its block" }
      if code == 9, size >= 1 {
        interface.resolution = .init(option: window.bytes.loadByte(at &+ 4))
      } else if code == 14, size >= 8 {
        let first = UInt64(window.bytes.loadUInt32(at &+ 4, swapped: swapped))
        let second = UInt64(window.bytes.loadUInt32(at &+ 8, swapped: swapped))
        // Two 32-bit halves in the file's order: the first is the low one if that is little-endian.
        let little = (UInt16(1).littleEndian == 1) != swapped
        let seconds = Int64(
          bitPattern: little ? second << 32 | first : first << 32 | second)
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        interface.offset = overflow ? (seconds > 0 ? .max : .min) : nanoseconds
      }
      at &+= 4 &+ (size &+ 3) & ~3
    }
    section.interfaces.append(interface)
    return nil
  }
}
