public import NetworkTypes

/// The numbers that decide how the portal behaves, each with its source.
public struct PortalParameters: Sendable {
  /// scrypt's N, r and p: OWASP's Password Storage Cheat Sheet (2024) gives N = 2^15, r = 8, p = 3
  /// as one of its equivalent settings; one hash costs 32 MiB and about 0.3 s.
  public var scryptRounds = 1 << 15
  public var scryptBlockSize = 8
  public var scryptParallelism = 3
  /// NIST SP 800-63B §5.1.1.2 asks for at least 8; our own choice is 10, because rooms are shared.
  public var passwordMinimumLength = 10
  /// The same section asks that at least 64 be accepted; the cap keeps hashing time bounded.
  public var passwordMaximumLength = 256
  /// NIST SP 800-63B §4.2.3 (AAL2): sign in again after 30 minutes idle or 12 hours. Our idle time
  /// is longer, because an analyst reads one page for an hour.
  public var sessionIdleSeconds: Int64 = 2 * 3_600
  public var sessionSeconds: Int64 = 12 * 3_600
  /// Failed sign-ins that are let through in ``throttleWindowSeconds``, per account and per
  /// address: our own choice, far below the 100 in a row of NIST SP 800-63B §5.2.2.
  public var failuresPerAccount = 5
  public var failuresPerAddress = 20
  public var throttleWindowSeconds: Int64 = 900
  /// How many accounts and addresses the throttle remembers; our own choice, about 1 MB.
  public var throttleEntries = 10_000
  /// The longest form that is read, in bytes.
  public var formBytes = 64 * 1_024
  /// The longest form with files that is read, in bytes, and how many at the same time: our own
  /// choice, as all is held in memory.
  public var uploadBytes = 16 << 20
  public var uploadsAtOnce = 4
  /// Rows of a table on one page, and the most that a client may ask for.
  public var pageSize = 50
  public var pageSizeLimit = 500
  /// The most rows that one export holds; what is left out is said in its last line.
  public var exportRows = 100_000
  /// Bearer tokens end after this time: our own choice, one year.
  public var tokenSeconds: Int64 = 365 * 86_400
  /// The largest number of bearer tokens one account may hold.
  public var tokensPerAccount = 20

  /// The bounds of searches of flows.
  public var flows = FlowDeskParameters()

  public init() {}
}

/// Where and how the portal listens.
public struct PortalConfiguration: Sendable {
  /// The address it listens on: a name or an address.
  public var host: String
  /// 0 takes a free port.
  public var port: Int
  /// Host header values that are answered; empty answers every name.
  public var allowedHosts: Set<String>
  /// Proxies whose X-Forwarded-For names the visitor; from others the header is ignored.
  public var trustedProxies: [IPPrefix]
  /// Whether visitors come by TLS (through a proxy): cookies are then `Secure`, and HSTS is sent.
  public var isSecure: Bool
  /// The language of visitors who name neither: `ja` or `en`.
  public var defaultLanguage: String
  /// Whether `/metrics` is answered without a token, which is what Prometheus does on a private
  /// network; otherwise a bearer token of an analyst or administrator is needed.
  public var metricsAreOpen: Bool
  public var parameters: PortalParameters

  public init(
    host: String = "127.0.0.1", port: Int = 8080, allowedHosts: Set<String> = [],
    trustedProxies: [IPPrefix] = [], isSecure: Bool = false, defaultLanguage: String = "ja",
    metricsAreOpen: Bool = false, parameters: PortalParameters = PortalParameters()
  ) {
    self.host = host
    self.port = port
    self.allowedHosts = allowedHosts
    self.trustedProxies = trustedProxies
    self.isSecure = isSecure
    self.defaultLanguage = defaultLanguage
    self.metricsAreOpen = metricsAreOpen
    self.parameters = parameters
  }
}
