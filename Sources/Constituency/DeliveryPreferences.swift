/// How an organisation wants to be told: the "directives" of intelmq-mailgen (BSI/Intevation), by
/// which events with equal directives go out together.
public struct DeliveryPreferences: Hashable, Sendable, Codable {
  public var formats: Set<Format>
  public var channels: Set<Channel>
  /// Seconds between notices: 0 at once, 86,400 daily, -1 never.
  public var intervalSeconds: Int
  /// Nothing is sent, whatever else is said here; the cases stay visible in the portal.
  public var doNotNotify: Bool
  /// What besides the organisation splits one notice into several.
  public var aggregateBy: Aggregation
  /// In per cent; findings below are not sent.
  public var minimumConfidence: Int
  /// Findings marked more narrowly than this are not sent: the value of a `TrafficLight`
  /// (`TLP:AMBER`), as this target does not know findings.
  public var maximumMarking: String

  public init(
    formats: Set<Format> = [.mail, .csv], channels: Set<Channel> = [.directory],
    intervalSeconds: Int = 86_400, doNotNotify: Bool = false, aggregateBy: Aggregation = .kind,
    minimumConfidence: Int = 50, maximumMarking: String = "TLP:AMBER"
  ) {
    self.formats = formats
    self.channels = channels
    self.intervalSeconds = intervalSeconds
    self.doNotNotify = doNotNotify
    self.aggregateBy = aggregateBy
    self.minimumConfidence = minimumConfidence
    self.maximumMarking = maximumMarking
  }

  /// Whether nothing is ever sent.
  public var isSilent: Bool { doNotNotify || intervalSeconds < 0 }

  public enum Format: String, Hashable, Sendable, Codable, CaseIterable {
    /// A letter to read.
    case mail
    /// One line per finding, with the column names of IntelMQ.
    case csv
    /// XARF v4 JSON, one document per finding.
    case xarf
  }

  public enum Channel: String, Hashable, Sendable, Codable, CaseIterable {
    /// Files in the notices directory, for collection.
    case directory
    case smtp
  }

  public enum Aggregation: String, Hashable, Sendable, Codable, CaseIterable {
    /// One notice with everything.
    case nothing
    /// One notice per kind of finding.
    case kind
    /// One notice per address.
    case address
  }

  /// The markings of TLP 2.0 (FIRST, 2022), from the widest circle to the narrowest.
  public static let markings = [
    "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED",
  ]
}
