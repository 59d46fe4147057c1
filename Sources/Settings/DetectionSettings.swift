public import NetworkTypes

extension NoroshiConfiguration {
  /// C&C servers in the flows that are collected.
  public struct Detection: Equatable, Sendable {
    public var enabled = false
    public var home: [IPPrefix] = []
    public var lists: [FilePath] = []
    public var weights: FilePath?
    public var intervalMinutes = 60
    public var lookbackHours = 24
    public var pairs = 2_000_000
    public var infectedDays = 14
  }

  /// Attacks in the flows that are collected.
  public struct DDoS: Equatable, Sendable {
    public var enabled = false
    public var protect: [IPPrefix] = []
    public var limits = Limits()
    public var learn = true
    public var warmUpMinutes = 30
    public var quietSeconds = 70.0
    public var retention = Retention()

    public struct Limits: Equatable, Sendable {
      public var packets: Double?
      public var megabits: Double?
      public var flows: Double?
    }

    public struct Retention: Equatable, Sendable {
      public var days = 365
    }
  }
}

extension ConfigurationKey {
  static let detection: [ConfigurationKey] = [
    ConfigurationKey(
      "detection.enabled", \.detection.enabled,
      "Whether `noroshi serve` looks for C&C servers in the flows it collects (flows.enabled), all "
        + "the time. The other keys hold for `noroshi flows detect` on the archive as well."),
    ConfigurationKey(
      list: "detection.home", \.detection.home,
      "The networks whose hosts are clients. None: those of the organisations that are known, and "
        + "without any, what the flows look like."),
    ConfigurationKey(
      list: "detection.lists", \.detection.lists,
      "Files of known C&C servers: addresses, address:port, CSV, maltrail, STIX bundles. They are "
        + "read anew for each ranking."),
    ConfigurationKey(
      "detection.weights", \.detection.weights,
      "Weights as `noroshi flows fit` writes them, in place of those that came with the program."),
    ConfigurationKey(
      "detection.intervalMinutes", \.detection.intervalMinutes, within: 1...10_080,
      "Minutes between two rankings."),
    ConfigurationKey(
      "detection.lookbackHours", \.detection.lookbackHours, within: 0...744,
      "Hours of the archive that are read at the start, so that a restart forgets nothing."),
    ConfigurationKey(
      "detection.pairs", \.detection.pairs, within: 1_000...50_000_000,
      "Pairs of a client and a service that are remembered at most, about 60 octets each, and 384 "
        + "for those of three contacts or more. The ones heard of longest ago go first, counted."),
    ConfigurationKey(
      "detection.infectedDays", \.detection.infectedDays, within: 0...365,
      "Hosts found to be infected in so many days before count as such when servers are ranked."),
  ]

  static let ddos: [ConfigurationKey] = [
    ConfigurationKey(
      "ddos.enabled", \.ddos.enabled,
      "Whether `noroshi serve` looks for attacks in the flows it collects (flows.enabled), all the "
        + "time. The other keys hold for `noroshi ddos watch` and `noroshi ddos detect` as well."),
    ConfigurationKey(
      list: "ddos.protect", \.ddos.protect,
      "The networks that are watched for attacks, and for reflectors in them. None: those of the "
        + "organisations that are known, and without any, every address."),
    limit(
      "ddos.limits.packets", \.ddos.limits.packets,
      "Packets per second to one host, of any kind, that are an attack. One limit given, the "
        + "limits by kind that came with the program do not count."),
    limit("ddos.limits.megabits", \.ddos.limits.megabits, "The same in megabits per second."),
    limit("ddos.limits.flows", \.ddos.limits.flows, "The same in flows per second."),
    ConfigurationKey(
      "ddos.learn", \.ddos.learn, "Whether what is usual is learned, beside the fixed limits."),
    ConfigurationKey(
      "ddos.warmUpMinutes", \.ddos.warmUpMinutes, within: 1...10_080,
      "Minutes for which a host or network must have been seen before what was learned of it "
        + "counts."),
    ConfigurationKey(
      "ddos.quietSeconds", \.ddos.quietSeconds, within: 1...3_600,
      "Seconds below half of the limit after which an attack is over; longer than the routers' "
        + "active timeout."),
    ConfigurationKey(
      "ddos.retention.days", \.ddos.retention.days, within: 1...36_500,
      "Days after which attacks, scanners and reflectors are deleted. Cases and their findings "
        + "stay."),
  ]

  private static func limit(
    _ path: String, _ member: any WritableKeyPath<NoroshiConfiguration, Double?> & Sendable,
    _ meaning: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      path, member, meaning, expectation: "a number greater than 0, or nothing",
      where: { $0.map { $0 > 0 } ?? true })
  }
}
