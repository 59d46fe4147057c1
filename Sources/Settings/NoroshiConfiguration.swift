public import NetworkTypes

/// Everything an operator can set, as `noroshi.yaml` and the environment gave it, with defaults.
///
/// What each key means, and which values it takes, stands beside it in ``ConfigurationKey/all``;
/// `noroshi config reference` prints that list.
public struct NoroshiConfiguration: Equatable, Sendable {
  public var dataDirectory = FilePath("/var/lib/noroshi")
  public var node = Node()
  public var telescope = Telescope()
  public var flows = Flows()
  public var detection = Detection()
  public var ddos = DDoS()
  public var geo = Geo()
  public var casework = Casework()
  public var notices = Notices()
  public var smtp = SMTP()
  public var portal = Portal()
  public var metrics = Metrics()
  public var seal = Seal()
  public var verification = Verification()
  public var audit = Audit()
  public var tsa = TSA()
  public var ca = CA()
  public var logging = Logging()

  public init() {}

  public struct Node: Equatable, Sendable {
    public var name = "noroshi"
    public var roles: [NodeRole] = [.institute]
  }

  public struct Telescope: Equatable, Sendable {
    public var sensor = "darknet"
    public var networks: [DarkNetwork] = []
    public var memoryLimit = ByteSize(bytes: 1_000_000_000)
    public var threads = Automatic<Int>.automatic
    public var eventTimeout = Automatic<TimeSpan>.automatic
    public var surveyScanners: [FilePath] = []
    public var ignoreSources: [IPPrefix] = []
    public var fingerprints: FilePath?
    public var live = Live()
    public var victims = Victims()
    public var series = Series()
    public var sampling = Sampling()
    public var retention = Retention()

    public struct Live: Equatable, Sendable {
      public var interfaces: [String] = []
    }

    public struct Victims: Equatable, Sendable {
      public var minimumPackets = 25
      public var minimumSeconds = 60.0
      public var minimumDestinations = 10
      public var packetsPerMinute = Automatic<Double>.automatic
    }

    public struct Series: Equatable, Sendable {
      public var keysPerBin = 256
    }

    public struct Sampling: Equatable, Sendable {
      public var packetsPerEvent = 3
      public var packetLength = 127
    }

    public struct Retention: Equatable, Sendable {
      public var eventDays = 90
      public var seriesDays = 730
    }
  }

  public struct Flows: Equatable, Sendable {
    public var enabled = false
    public var listen = [ListeningAddress(address: IPAddress(v4: 0), port: 2055)]
    public var tcp: [ListeningAddress] = []
    public var allow: [IPPrefix] = []
    public var rateLimit: Double?
    public var sampling: [ExporterSampling] = []
    public var shards = 1
    public var bufferKilobytes = 4_096
    public var cluster: String?
    public var retention = Retention()

    public struct Retention: Equatable, Sendable {
      public var days = 90
      public var gigabytes = 100.0
    }
  }

  public struct Geo: Equatable, Sendable {
    public var mmdb: [FilePath] = []
  }

  public struct Casework: Equatable, Sendable {
    public var quietDays = 14
    public var reopenDays = 90
    public var dueDays = 14
    public var minimumConfidence = 50
  }

  public struct Notices: Equatable, Sendable {
    public var organisation = "Noroshi"
    public var organisationJa = "Noroshi"
    public var from: MailAddress?
    public var replyTo: MailAddress?
    public var contact: [String] = []
    public var contactJa: [String] = []
    public var dailyAt = TimeOfDay(minutes: 9 * 60)
    public var timeZone = "Asia/Tokyo"
    public var repeatDays = 7
    public var directory: FilePath?
    public var sealed = false
  }

  public struct SMTP: Equatable, Sendable {
    public var host: String?
    public var port = 25
    public var tls = SMTPSecurity.starttls
    public var username: String?
    public var passwordFile: FilePath?
  }

  public struct Portal: Equatable, Sendable {
    public var address = "127.0.0.1"
    public var port = 8480
    public var publicURL: String?
    public var secureCookies = Automatic<Bool>.automatic
    public var trustedProxies: [IPPrefix] = []
    public var allowedHosts: [String] = []
    public var language = PortalLanguage.ja
    public var sessionHours = 12
  }

  public struct Metrics: Equatable, Sendable {
    public var open = false
  }

  public struct Logging: Equatable, Sendable {
    public var level = LogLevel.info
  }
}

/// What a node does in the federation; it may do several things.
public enum NodeRole: String, ConfigurationChoice {
  case institute
  case isp
  case isac
  case peer
  case member
  case trainer
}

/// The language of visitors whose browser names neither.
public enum PortalLanguage: String, ConfigurationChoice {
  case ja
  case en
}

/// How mail is handed to the SMTP server.
public enum SMTPSecurity: String, ConfigurationChoice {
  /// In the clear; for a relay on the same machine.
  case none
  /// Encrypted when the server offers STARTTLS (RFC 3207).
  case starttls
  /// STARTTLS, or the mail is not sent.
  case required
}

/// The least severe message that is logged, as swift-log names them.
public enum LogLevel: String, ConfigurationChoice {
  case trace
  case debug
  case info
  case notice
  case warning
  case error
  case critical
}
