import NetworkTypes
import PacketCapture
import Sketches

/// One packet on its way from the decoder to its partition.
struct Observation: BitwiseCopyable {
  var packet = PacketHeaders()
  var subject = IPAddress(bits: 0)
  var hash: UInt64 = 0
  var trafficClass: TrafficClass.RawValue = 0
  /// How many of the packet's first octets the batch holds.
  var sampleLength: UInt8 = 0
  var port: UInt16 = 0
}

/// The SYN packet's appearance, for signatures that no rule knows: research page §6.8.
struct SYNSignature: BitwiseCopyable, Hashable {
  var layout = TCPOptionLayout.none
  var window: UInt16 = 0
  var maximumSegmentSize: UInt16 = 0
  var windowScale: UInt8 = 255
  /// The likely initial TTL: the next of 32, 64, 128, 255.
  var initialTTL: UInt8 = 0
  var dontFragment: Bool = false

  init() {}

  init(_ packet: PacketHeaders) {
    layout = packet.optionLayout
    window = packet.window
    maximumSegmentSize = packet.maximumSegmentSize
    windowScale = packet.windowScale
    initialTTL =
      packet.timeToLive <= 32
      ? 32 : packet.timeToLive <= 64 ? 64 : packet.timeToLive <= 128 ? 128 : 255
    dontFragment = packet.traits.contains(.dontFragment)
  }

  /// All fields mixed into one word.
  var identity: UInt64 {
    layout.bits &* 0x9e37_79b9_7f4a_7c15
      ^ (UInt64(window) << 48 | UInt64(maximumSegmentSize) << 32 | UInt64(windowScale) << 16
        | UInt64(initialTTL) << 8 | (dontFragment ? 1 : 0))
  }

  /// `64:1024:mss,nop,ws:1460:7:0`: initial TTL, window, options, MSS, window scale, DF.
  var text: String {
    let names = ["", "eol", "nop", "mss", "ws", "sok", "ts"]
    var options: [String] = []
    var bits = layout.bits
    while bits != 0 {
      let kind = Int(bits & 15)
      options.append(kind < names.count ? names[kind] : "?")
      bits >>= 4
    }
    return "\(initialTTL):\(window):\(options.isEmpty ? "-" : options.joined(separator: ",")):"
      + "\(maximumSegmentSize):\(windowScale == 255 ? "-" : String(windowScale)):"
      + (dontFragment ? "1" : "0")
  }
}

/// One source's packets of one class to one port. Every packet writes the first two cache lines; the
/// rest is looked at when a bin ends.
struct EventEntry: FlatEntry {
  static let busyBytes = 128

  var address: UInt128
  var port: UInt16
  var trafficClass: TrafficClass.RawValue
  var hasSamples = false
  var samples: UInt32 = 0
  /// What came since the last series bin was closed.
  var binPackets: UInt32 = 0
  var binBytes: UInt32 = 0
  var last: Int64
  var packets: UInt64 = 0
  var tally = FingerprintTally()
  var destinations = DistinctCounter()

  var blocks = DistinctCounter()
  /// Octets before the open bin.
  var earlierBytes: UInt64 = 0
  var first: Int64
  /// Of its first TCP probe; all zero before.
  var signature = SYNSignature()

  var bytes: UInt64 { earlierBytes &+ UInt64(binBytes) }

  init(
    address: UInt128, port: UInt16, trafficClass: TrafficClass.RawValue, first: Int64, last: Int64
  ) {
    self.address = address
    self.port = port
    self.trafficClass = trafficClass
    self.first = first
    self.last = last
  }

  var detail: UInt32 { Self.detail(port: port, trafficClass: trafficClass) }

  @inline(__always)
  static func detail(port: UInt16, trafficClass: UInt8) -> UInt32 {
    UInt32(port) << 8 | UInt32(trafficClass)
  }
}

struct PortSlot: BitwiseCopyable {
  var packets: UInt32 = 0
  var port: UInt16 = 0
  var transport: UInt8 = 0
}

/// The strongest few of many ports: space-saving (Metwally 2005) on a handful of slots.
struct PortSlots: BitwiseCopyable {
  var slots = InlineArray<6, PortSlot>(repeating: PortSlot())

  struct Placement {
    let index: UInt8
    /// False when the port was in its slot already.
    let isNew: Bool
  }

  @discardableResult
  @inline(__always)
  mutating func add(port: UInt16, transport: UInt8) -> Placement {
    var weakest = 0
    for index in 0..<6 {
      if slots[index].port == port, slots[index].transport == transport,
        slots[index].packets > 0
      {
        slots[index].packets &+= 1
        return Placement(index: UInt8(truncatingIfNeeded: index), isNew: false)
      }
      if slots[index].packets == 0 {
        weakest = index
        break
      }
      if slots[index].packets < slots[weakest].packets { weakest = index }
    }
    slots[weakest].port = port
    slots[weakest].transport = transport
    slots[weakest].packets &+= 1
    return Placement(index: UInt8(truncatingIfNeeded: weakest), isNew: true)
  }

  /// The strongest first; equal ones by port.
  var counts: [ObservedHost.PortCount] {
    var result: [ObservedHost.PortCount] = []
    for index in 0..<6 where slots[index].packets > 0 {
      result.append(
        .init(
          port: slots[index].port, transport: IPProtocol(rawValue: slots[index].transport),
          packets: UInt64(slots[index].packets)))
    }
    return result.sorted { ($1.packets, $0.port) < ($0.packets, $1.port) }
  }
}

/// What is known of one source. Every packet writes the first three cache lines, in which what it
/// changes lies together; the rest is looked at when a source is new or judged.
struct SourceEntry: FlatEntry {
  static let busyBytes = 192

  var address: UInt128
  var detail: UInt32 { 0 }
  var tally = FingerprintTally()
  var last: Int64
  var packets: UInt64 = 0
  var bytes: UInt64 = 0
  var ports = PortSlots()
  var synPackets: UInt32 = 0
  var iotPackets: UInt32 = 0
  /// One bit for each of the parameters' IoT ports.
  var iotMask: UInt32 = 0
  /// Of the SYN packets: how many repeat the first one's window and source port.
  var sameWindow: UInt32 = 0
  var sameSourcePort: UInt32 = 0
  var firstWindow: UInt16 = 0
  var firstSourcePort: UInt16 = 0
  /// NICTER's survey rule counts by UTC day.
  var day: Int32 = .min
  var dayPackets: UInt32 = 0
  var classes: UInt16 = 0
  /// Index + 1 into the engine's organisations; 0 for nobody's.
  var member: UInt16
  /// Which of the port slots have been hit on this day.
  var daySlots: UInt8 = 0
  var surveyDay = false
  var lowestTTL: UInt8 = 255
  var highestTTL: UInt8 = 0
  /// Whether packets came since the last checkpoint.
  var isFresh = true

  var first: Int64
  var asn: UInt32
  var country: UInt16
  var destinations = DistinctCounter()
  var distinctPorts = DistinctCounter()
  var dayPorts = DistinctCounter()
  var signature = SYNSignature()

  init(
    address: UInt128, first: Int64, last: Int64, asn: UInt32, country: UInt16, member: UInt16
  ) {
    self.address = address
    self.first = first
    self.last = last
    self.asn = asn
    self.country = country
    self.member = member
  }
}

struct VictimEntry: FlatEntry {
  var address: UInt128
  var detail: UInt32 { 0 }
  var first: Int64
  var last: Int64
  var packets: UInt64 = 0
  var bytes: UInt64 = 0
  var mismatches: UInt64 = 0
  var asn: UInt32
  var country: UInt16
  var peak: UInt32 = 0
  /// The last minute in six slices of ten seconds, a window that slides by ten (Corsaro's).
  var slices = InlineArray<6, UInt32>(repeating: 0)
  var slice: Int64 = .min
  var destinations = DistinctCounter()
  var services = PortSlots()
  /// SYN-ACK, RST, ICMP error, ICMP reply, DNS.
  var classPackets = InlineArray<5, UInt32>(repeating: 0)

  static let classes: [TrafficClass] = [
    .synAckBackscatter, .rstBackscatter, .icmpErrorBackscatter, .icmpReplyBackscatter,
    .dnsBackscatter,
  ]

  /// The place of a class among ``classes``.
  @inline(__always)
  static func place(of trafficClass: TrafficClass) -> Int? {
    switch trafficClass {
    case .synAckBackscatter: 0
    case .rstBackscatter: 1
    case .icmpErrorBackscatter: 2
    case .icmpReplyBackscatter: 3
    case .dnsBackscatter: 4
    default: nil
    }
  }
}

struct AlertEntry: FlatEntry {
  var address: UInt128
  /// Organisation index and reach.
  var detail: UInt32
  var first: Int64
  var last: Int64
  var packets: UInt64 = 0
  var destinations = DistinctCounter()
  var ports = PortSlots()
  /// Whether an earlier checkpoint has already reported it.
  var isReported = false

  static func detail(member: UInt16, reach: UInt8) -> UInt32 { UInt32(member) << 8 | UInt32(reach) }
}
