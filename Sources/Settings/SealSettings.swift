import NetworkTypes

extension NoroshiConfiguration {
  /// The organisation's own e-seal, and the authority that stamps what it seals.
  public struct Seal: Equatable, Sendable {
    public var certificate: FilePath?
    public var key: KeyName?
    public var passphraseFile: FilePath?
    public var timeStamps: String?
    public var anchor: FilePath?
    public var anchorURL: String?
  }

  /// Whom the portal's page of verification believes.
  public struct Verification: Equatable, Sendable {
    public var anchors: [FilePath] = []
    public var trustedLists: [FilePath] = []
    public var listOperators: [FilePath] = []
  }

  /// The audit trail.
  public struct Audit: Equatable, Sendable {
    public var stamped = false
  }
}

extension ConfigurationKey {
  static let seal: [ConfigurationKey] = [
    ConfigurationKey(
      "seal.certificate", \.seal.certificate,
      "The certificate of the organisation's e-seal, PEM; certificates above it may follow. "
        + "`noroshi ca issue seal` makes one for trials."),
    ConfigurationKey(
      "seal.key", \.seal.key, "Its private key: a PEM file, or a `pkcs11:` URI (RFC 7512)."),
    ConfigurationKey(
      "seal.passphraseFile", \.seal.passphraseFile,
      "A file whose first line is the key's passphrase, or the token's PIN."),
    ConfigurationKey(
      "seal.timeStamps", \.seal.timeStamps,
      "The address of the time-stamp authority (RFC 3161) for seals and for the audit trail; one's "
        + "own is at http://127.0.0.1:8480/tsa where tsa.enabled is set.",
      expectation: "an address that begins with http:// or https://, or nothing",
      where: { $0.map { $0.hasPrefix("http://") || $0.hasPrefix("https://") } ?? true }),
    ConfigurationKey(
      "seal.anchor", \.seal.anchor,
      "The certificate, PEM, that those who verify seals and stamps are to trust. Notices name it "
        + "with its fingerprint."),
    ConfigurationKey(
      "seal.anchorURL", \.seal.anchorURL,
      "Where recipients of notices find that certificate; without it they are told to ask.",
      expectation: "an address that begins with http:// or https://, or nothing",
      where: { $0.map { $0.hasPrefix("http://") || $0.hasPrefix("https://") } ?? true }),
    ConfigurationKey(
      list: "verification.anchors", \.verification.anchors,
      "Certificates, PEM, of authorities that the portal's page `/verify` believes, beside "
        + "seal.anchor and the house's own authority."),
    ConfigurationKey(
      list: "verification.trustedLists", \.verification.trustedLists,
      "Trusted lists, which say which services were accredited when; see docs/accreditation.md."),
    ConfigurationKey(
      list: "verification.listOperators", \.verification.listOperators,
      "Certificates, PEM, of those who may seal the trusted lists."),
    ConfigurationKey(
      "audit.stamped", \.audit.stamped,
      "Whether `noroshi serve` has the end of the audit trail time-stamped once a day, by "
        + "seal.timeStamps."),
  ]
}
