/// The numbers that decide how flows are collected, each with its reason.
public struct FlowParameters: Sendable {
  /// Flows per batch. Our own choice: 8,192 rows of the usual columns are about half a megabyte,
  /// which stays in a second-level cache.
  public static let batchCapacity = 8_192

  /// Largest datagram that is received whole, in octets; longer ones are counted as truncated. A
  /// jumbo Ethernet frame; RFC 7011 §10.3.3 keeps IPFIX messages within the path MTU.
  public var largestDatagram = 9_216
  /// Exporters (address and observation domain) that state is kept for. Our own choice.
  public var largestExporterCount = 16_384
  /// Templates of one exporter. Our own choice: routers announce some tens.
  public var largestTemplateCount = 1_024
  /// Fields of one template. Our own choice; a field takes at least one octet of the template's
  /// datagram and usually of the record.
  public var largestFieldCount = 512
  /// Samplers of one exporter. Our own choice: one per interface and direction.
  public var largestSamplerCount = 4_096
  /// Seconds after which a template that came by UDP and was not announced again is not used any
  /// more: three times the 30 minutes that IOS announces them at least (RFC 7011 §8.4 asks for three
  /// times the exporter's interval).
  public var templateLifetimeSeconds = 5_400.0
  /// Octets of data of unknown templates that are held back, over all exporters. Our own choice:
  /// some seconds of a busy router.
  public var heldOctets = 16 << 20
  /// Octets of data of unknown templates that are held back for one exporter.
  public var heldOctetsPerExporter = 1 << 20
  /// Seconds after which data held back are given up. IOS announces templates every 30 minutes.
  public var heldSeconds = 1_800.0
  /// A system uptime that falls by more than this is a restart and not reordering, in milliseconds.
  public var uptimeTolerance: UInt32 = 10_000
  /// An IPFIX sequence number that falls to below this, by more than this, is a restart. Our own
  /// choice: more records than overtaken datagrams hold. (An exporter that restarts before it has
  /// sent so many has just announced its templates.)
  public var restartSequenceCeiling: UInt32 = 4_096
  /// A sequence number that goes back by at most this is a datagram overtaken by another.
  public var reorderWindow: UInt32 = 65_536
  /// A sequence number ahead by more than this is a new count and not loss: 16 million records or
  /// datagrams are more than any outage that leaves templates valid.
  public var largestGap: UInt32 = 1 << 24
  /// Whether column ``FlowColumn/received`` is filled.
  public var keepsReceivedTime = false
  /// Sampling rates known to the operator.
  public var sampling: [SamplingConfiguration] = []

  public init() {}
}
