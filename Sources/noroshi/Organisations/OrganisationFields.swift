import ArgumentParser
import Constituency
import NetworkTypes

/// What can be set of an organisation; a field that is not named stays as it is.
struct OrganisationFields: ParsableArguments {
  @Option(name: .long, help: "Its name.")
  var name: String?

  @Option(name: .long, help: "Its name in Japanese.")
  var nameJa: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What it is: institute, isp, isac, member, csirt, peer, trainer. May be given several times.",
      valueName: "role"))
  var role: [String] = []

  @Option(
    name: .long, help: "A network it answers for. May be given several times.")
  var prefix: [String] = []

  @Option(name: .long, help: "An AS number it answers for. May be given several times.")
  var asn: [String] = []

  @Option(
    name: .long, help: "The organisation that sells on to it, by its identifier; empty for none.")
  var parent: String?

  @Option(name: .long, help: "The language of its notices: ja or en.")
  var language: String?

  @Option(
    name: .long, help: "Where notices go: mail address of its abuse desk. Adds a contact.")
  var mail: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Formats of notices: mail, csv, xarf, separated by commas.", valueName: "list"))
  var formats: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Ways of notices: directory, smtp, separated by commas.", valueName: "list"))
  var channels: String?

  @Option(
    name: .long,
    help: "How often it is told: immediately, hourly, daily, weekly, never, or seconds.")
  var interval: String?

  @Option(name: .long, help: "What one notice holds: nothing (all in one), kind or address.")
  var aggregateBy: String?

  @Option(name: .long, help: "The least confidence, in per cent, of which it is told.")
  var minimumConfidence: Int?

  @Option(name: .long, help: "The narrowest marking of which it is told: TLP:CLEAR … TLP:RED.")
  var maximumMarking: String?

  @Flag(inversion: .prefixedNo, help: "Whether it is told at all.")
  var notify: Bool?

  @Flag(
    inversion: .prefixedNo, help: "Whether its addresses raise an alert in the darknet.")
  var memberAlerts: Bool?

  /// Puts what was named into the organisation. Lists replace what was there.
  func apply(to organisation: inout Organisation) throws {
    if let name { organisation.name = name }
    if let nameJa { organisation.nameJa = nameJa.isEmpty ? nil : nameJa }
    if !role.isEmpty { organisation.roles = Set(try role.map { try Self.choice($0, "--role") }) }
    if !prefix.isEmpty { organisation.prefixes = try prefix.map(Self.prefix) }
    if !asn.isEmpty {
      organisation.asns = try asn.map { text in
        guard let asn = ASN(text: text), asn != .unknown else {
          throw ValidationError("--asn “\(text)” is no AS number such as 64500 or AS64500.")
        }
        return asn
      }
    }
    if let parent { organisation.parent = parent.isEmpty ? nil : parent }
    if let language { organisation.language = try Self.choice(language, "--language") }
    if let formats { organisation.delivery.formats = try Self.choices(formats, "--formats") }
    if let channels { organisation.delivery.channels = try Self.choices(channels, "--channels") }
    if let interval { organisation.delivery.intervalSeconds = try Self.interval(interval) }
    if let aggregateBy {
      organisation.delivery.aggregateBy = try Self.choice(aggregateBy, "--aggregate-by")
    }
    if let minimumConfidence {
      guard (0...100).contains(minimumConfidence) else {
        throw ValidationError("--minimum-confidence must be 0 to 100 per cent.")
      }
      organisation.delivery.minimumConfidence = minimumConfidence
    }
    if let maximumMarking {
      guard DeliveryPreferences.markings.contains(maximumMarking) else {
        throw ValidationError(
          "--maximum-marking must be one of \(DeliveryPreferences.markings.joined(separator: ", "))."
        )
      }
      organisation.delivery.maximumMarking = maximumMarking
    }
    if let notify { organisation.delivery.doNotNotify = !notify }
    if let memberAlerts { organisation.memberAlerts = memberAlerts }
  }

  /// The contact that `--mail` names.
  func contact() throws -> Contact? {
    try mail.map { address in
      guard Contact.isValidEmail(address) else {
        throw ValidationError("--mail “\(address)” is no mail address such as abuse@isp.example.")
      }
      return Contact(name: address, email: address)
    }
  }

  static func prefix(_ text: String) throws -> IPPrefix {
    guard let prefix = IPPrefix(text) else {
      throw ValidationError(
        "“\(text)” is no network such as 203.0.113.0/24 or 2001:db8::/32 with its host bits zero.")
    }
    return prefix
  }

  static func choice<Value: RawRepresentable & CaseIterable>(
    _ text: String, _ option: String
  ) throws -> Value where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      throw ValidationError(
        "\(option) must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", ")), not "
          + "“\(text)”.")
    }
    return value
  }

  private static func choices<Value: RawRepresentable & CaseIterable & Hashable>(
    _ text: String, _ option: String
  ) throws -> Set<Value> where Value.RawValue == String {
    Set(try text.split(separator: ",").map { try choice($0.filter { $0 != " " }, option) })
  }

  static func interval(_ text: String) throws -> Int {
    let words = [
      "immediately": 0, "hourly": 3_600, "daily": 86_400, "weekly": 604_800, "never": -1,
    ]
    if let seconds = words[text] { return seconds }
    guard let seconds = Int(text), (-1...31_536_000).contains(seconds) else {
      throw ValidationError(
        "--interval must be immediately, hourly, daily, weekly, never, or seconds up to a year.")
    }
    return seconds
  }

  /// What ``interval(_:)`` reads back.
  static func word(ofInterval seconds: Int) -> String {
    switch seconds {
    case 0: "immediately"
    case 3_600: "hourly"
    case 86_400: "daily"
    case 604_800: "weekly"
    case ..<0: "never"
    default: "every \(Quantity.duration(seconds: Double(seconds)))"
    }
  }
}
