import NetworkTypes
import PacketCapture
import Telescope

/// Makes captures in memory: Ethernet, IPv4 and TCP headers, enough for the telescope.
struct SyntheticTraffic {
  private(set) var bytes: [UInt8] = []
  private(set) var packets = 0

  init() {
    word(0xa1b2_c3d4)
    half(2)
    half(4)
    for value: UInt32 in [0, 0, 65_535, 1] { word(value) }
  }

  private mutating func word(_ value: UInt32) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  private mutating func half(_ value: UInt16) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  struct TCP {
    var source: UInt32
    var destination: UInt32
    var sourcePort: UInt16 = 40_000
    var destinationPort: UInt16 = 23
    var sequence: UInt32 = 1
    var flags: UInt8 = 2
    var window: UInt16 = 14_600
    var timeToLive: UInt8 = 50
    var identification: UInt16 = 7
  }

  /// - Parameter time: in microseconds since 1970.
  mutating func add(_ tcp: TCP, at time: UInt64) {
    packets += 1
    word(UInt32(time / 1_000_000))
    word(UInt32(time % 1_000_000))
    word(54)
    word(54)
    bytes += [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]
    func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
    func big(_ value: UInt32) -> [UInt8] { big(UInt16(value >> 16)) + big(UInt16(value & 0xffff)) }
    bytes +=
      [0x45, 0] + big(UInt16(40)) + big(tcp.identification) + [0, 0, tcp.timeToLive, 6, 0, 0]
    bytes += big(tcp.source) + big(tcp.destination)
    bytes += big(tcp.sourcePort) + big(tcp.destinationPort) + big(tcp.sequence) + big(UInt32(0))
    bytes += [0x50, tcp.flags] + big(tcp.window) + [0, 0, 0, 0]
  }
}

/// Reads captures into a new engine.
func observe(
  _ captures: [[UInt8]], space: DarkSpace, threads: Int = 1,
  configure: (inout TelescopeEngine.Surroundings) -> Void = { _ in }
) throws -> TelescopeEngine {
  var surroundings = TelescopeEngine.Surroundings()
  surroundings.threads = threads
  configure(&surroundings)
  let engine = TelescopeEngine(space: space, surroundings: surroundings)
  for capture in captures {
    var reader = try CaptureReader(bytes: capture)
    while try engine.read(&reader, limit: 1 << 16) > 0 {}
  }
  return engine
}

/// 198.51.0.0/16 lies in no block that nobody can send from, and holds 65,536 addresses.
let darkSixteen = DarkSpace(prefixes: [IPPrefix("100.200.0.0/16")!])
let darkBase: UInt32 = 100 << 24 | 200 << 16
let start: UInt64 = 1_760_000_100 * 1_000_000
