/// Every number by which the telescope decides, each with its source.
///
/// The defaults are right for a telescope of any size, because what depends on the size is a formula
/// of ``DarkSpace/addressCount``.
public struct TelescopeParameters: Hashable, Sendable {
  // MARK: Events

  /// The slowest scanner whose event must not be cut in two, in packets per second over the whole
  /// Internet. 100 pps as Merit's ORION has it (darknet-events), r_min in the formula of
  /// ``DarkSpace/eventTimeoutSeconds(_:)``.
  public var slowestScannerPacketsPerSecond = 100.0
  /// How probable it may be that such a scanner's event is cut: Merit's ε = 0.001.
  public var eventCutProbability = 0.001
  /// A fixed event timeout in seconds instead of the formula's.
  public var eventTimeoutSeconds: Double?
  /// Raw packets kept of each event (Merit keeps 3). Reservoir-sampled, so none is favoured.
  public var samplesPerEvent = 3
  /// Octets kept of a sampled packet: link, IP and TCP headers with options, and some payload. With its
  /// length a sample of this many fills two cache lines.
  public var sampleLength = 127
  /// An event that hit this share of the dark addresses is a large scan: 10 % (Merit; Durumeric 2014).
  public var aggressiveDispersion = 0.1

  // MARK: Memory

  /// Octets that the tables and sketches may take together. Beyond it the least active entries go,
  /// counted: see ``TelescopeCounters``.
  public var memoryLimit = 1_000_000_000
  /// Sources and victims are forgotten this long after their last packet: a day, so that a host's
  /// daily figures (NICTER's survey rule) stand in one entry.
  public var sourceIdleSeconds = 86_400.0

  // MARK: Survey scanners

  /// NICTER's survey-scanner rule, per source and day: at least 30 ports and 300,000 SYN and UDP
  /// packets on about 290,000 addresses, which is about one packet per dark address and day.
  public var surveyPorts = 30
  public var surveyPacketsPerDarkAddress = 300_000.0 / 290_000.0

  // MARK: Infected hosts

  /// Packets that must carry Mirai's sequence number: research page 2.3; one alone is chance 2⁻³².
  public var infectedMinimumPackets = 3
  public var infectedMinimumDestinations = 2
  /// Ports that only malware scans together (Mirai and its descendants, 2016–2026): Telnet and its
  /// alternates, TR-064, ADB, Huawei HG532, Realtek SDK, Android, DVR, Tenda and router web faces.
  public var iotPorts: [UInt16] = [
    23, 2323, 26, 5555, 7547, 37215, 52869, 60023, 8080, 81, 5358, 6789, 9527, 34567, 8291, 2222,
    23231, 9000, 60001, 8443, 5501, 49152,
  ]
  /// A host is a bot by ports alone when it scans this many of them and little else.
  public var iotMinimumPorts = 3
  public var iotMinimumPackets = 10
  public var iotMinimumDestinations = 5
  /// At least this share of a bot's SYN packets goes to those ports.
  public var iotMinimumShare = 0.8
  /// A real host's packets arrive over a few paths: a wider spread of TTL means forged packets.
  /// 8 hops: our own choice, above the path changes seen in the scanner captures (0 to 2).
  public var consistentTTLSpread = 8

  // MARK: Spoofed storms

  /// In a storm of forged sources a share of them falls into space nobody can send from. Uniformly
  /// forged IPv4 sources hit it with 0.22; real scans with less than 0.001.
  public var stormBogonShare = 0.02
  public var stormMinimumBogonPackets = 30
  /// Without bogons: so many new sources on one port in one bin, with so few packets each.
  public var stormMinimumSources = 2_000
  public var stormPacketsPerSource = 1.5
  /// … and so many times the port's usual number.
  public var stormRatio = 20.0

  // MARK: Denial-of-service victims (Moore 2001/2006; Corsaro's rsdos defaults)

  public var victimMinimumPackets = 25
  public var victimMinimumSeconds = 60.0
  /// Backscatter of randomly spoofed packets spreads over the telescope.
  public var victimMinimumDestinations = 10
  /// Moore's 30 packets per minute hold for a /8: scaled by size, but never below this floor.
  public var victimPacketsPerMinuteOnSlash8 = 30.0
  public var victimPacketsPerMinuteFloor = 2.0
  /// An attack ends after this silence: 300 s on a /8 (Corsaro), longer on smaller telescopes by the
  /// formula of events, at most an hour, which is our own choice.
  public var victimIdleFloorSeconds = 300.0
  public var victimIdleCeilingSeconds = 3_600.0

  // MARK: Member alerts (DAEDALUS, RAID 2009)

  /// An alert is closed after this silence.
  public var alertQuietSeconds = 3_600.0

  // MARK: Time series

  /// Ports and AS numbers kept per bin, by unique hosts; the rest is summed as "other".
  public var seriesKeysPerBin = 256
  /// Keys of one open bin of five minutes, an hour or a day, at most 4 KiB each; beyond it those of
  /// fewest packets are summed as "other". Twice what the ports of a NICTER day need: our own choice.
  public var seriesKeys = 16_384
  /// Keys that one of the 64 partitions tells apart in five minutes: our own choice.
  public var seriesKeysPerPartition = 2_048

  // MARK: Campaigns

  /// Bins of an hour of history that a baseline needs before it may alarm, and at most uses.
  public var campaignMinimumHistory = 6
  public var campaignHistory = 7 * 24
  /// Deviations above the median in units of 1.4826 · MAD (≈ standard deviations).
  public var campaignDeviations = 6.0
  /// … and at least this factor above the median, and this many sources.
  public var campaignRatio = 2.0
  public var campaignMinimumSources = 10
  /// A campaign ends when this many hours stay below the alarm line.
  public var campaignQuietBins = 6

  public init() {}
}
