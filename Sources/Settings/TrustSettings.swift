import NetworkTypes

/// A private key: the path of a PEM file, or a `pkcs11:` URI (RFC 7512).
public struct KeyName: ConfigurationValue, Hashable {
  /// The URI, or the absolute path.
  public let text: String

  public init(_ text: String) { self.text = text }

  public static var expectation: String { "the path of a PEM file, or a pkcs11: URI" }

  public static func read(_ text: String, base: String) -> KeyName? {
    text.hasPrefix("pkcs11:")
      ? KeyName(text) : FilePath.read(text, base: base).map { KeyName($0.path) }
  }

  public var configurationText: String { text }
}

extension NoroshiConfiguration {
  /// The time-stamp authority.
  public struct TSA: Equatable, Sendable {
    public var enabled = false
    public var listen = ListeningAddress(address: IPAddress(v4: 0x7F00_0001), port: 3161)
    /// Under the enterprise number for documentation (RFC 5612); whoever offers stamps to others needs
    /// one's own.
    public var policy = "1.3.6.1.4.1.32473.3161.1"
    public var policies: [String] = []
    public var certificate: FilePath?
    public var key: KeyName?
    public var passphraseFile: FilePath?
    public var accuracy = TimeSpan(seconds: 1)
    public var fractionDigits = 3
    public var ordering = false
    public var clock = Clock()

    public struct Clock: Equatable, Sendable {
      public var guarded = true
      public var sources: [String] = []
      public var required = 2
    }
  }

  /// The certificate authority.
  public struct CA: Equatable, Sendable {
    public var publish = false
    public var key: KeyName?
    public var passphraseFile: FilePath?
  }
}

extension ConfigurationKey {
  static let trust: [ConfigurationKey] = [
    ConfigurationKey(
      "tsa.enabled", \.tsa.enabled,
      "Whether `noroshi serve` answers time-stamp requests at `/tsa` of the portal. The other keys "
        + "hold for `noroshi tsa serve` as well."),
    ConfigurationKey(
      "tsa.listen", \.tsa.listen, "Where `noroshi tsa serve` listens, without the portal."),
    ConfigurationKey(
      "tsa.policy", \.tsa.policy,
      "The policy of stamps whose request names none. The default is an example's; take one under an "
        + "arc of your own before others rely on your stamps.",
      expectation: "an object identifier such as 1.2.392.200000.1", where: isObjectIdentifier),
    ConfigurationKey(
      list: "tsa.policies", \.tsa.policies, "Further policies that a request may name."),
    ConfigurationKey(
      "tsa.certificate", \.tsa.certificate,
      "The time-stamp unit's certificate with those above it, PEM; `tsa/unit.pem` in the data "
        + "directory unless given."),
    ConfigurationKey(
      "tsa.key", \.tsa.key,
      "The unit's key: a PEM file, or one on a token such as "
        + "`pkcs11:token=Noroshi;object=tsu?module-path=…&pin-source=…`; `tsa/unit.key` in the data "
        + "directory unless given."),
    ConfigurationKey(
      "tsa.passphraseFile", \.tsa.passphraseFile,
      "A file whose first line opens the unit's key, or is the PIN of its token."),
    ConfigurationKey(
      "tsa.accuracy", \.tsa.accuracy,
      "How far a stamp's time may be off, as each stamp says. Beyond it nothing is stamped. EN 319 421 "
        + "asks for 1s or better.",
      expectation: "a span of time from 0.001s to 60s",
      where: { (0.001...60).contains($0.seconds) }),
    ConfigurationKey(
      "tsa.fractionDigits", \.tsa.fractionDigits, within: 0...9,
      "Decimals of the second in a stamp's time."),
    ConfigurationKey(
      "tsa.ordering", \.tsa.ordering,
      "Whether any two stamps can be put in order by their times alone. It costs nothing below "
        + "a thousand stamps a second with three decimals; more stamps need more decimals."),
    ConfigurationKey(
      "tsa.clock.guarded", \.tsa.clock.guarded,
      "Whether the system clock is compared with `tsa.clock.sources`. Without, its time is stamped "
        + "unseen: for trying things out only."),
    ConfigurationKey(
      list: "tsa.clock.sources", \.tsa.clock.sources,
      "What the clock is compared with: NTP servers with or without a port, and `chrony` for the "
        + "daemon of this machine. In Japan `ntp.nict.jp` gives UTC(NICT)."),
    ConfigurationKey(
      "tsa.clock.required", \.tsa.clock.required, within: 1...16,
      "How many of them have to agree, so that stamps are made."),
    ConfigurationKey(
      "ca.publish", \.ca.publish,
      "Whether the portal publishes the certificate authority's CRL and certificate and answers OCSP, "
        + "at `/ca/crl`, `/ca/certificate` and `/ca/ocsp`."),
    ConfigurationKey(
      "ca.key", \.ca.key,
      "The authority's key: a PEM file, or a `pkcs11:` URI; `ca/root.key` in the data directory unless "
        + "given."),
    ConfigurationKey(
      "ca.passphraseFile", \.ca.passphraseFile,
      "A file whose first line opens the authority's key and the responder's."),
  ]

  private static func isObjectIdentifier(_ text: String) -> Bool {
    let arcs = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
    guard arcs.count >= 2, let first = arcs[0], let second = arcs[1] else { return false }
    return !arcs.contains(nil) && first <= 2 && (first == 2 || second < 40)
  }
}
