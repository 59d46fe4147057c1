/// The Reference Security Incident Taxonomy of ENISA's task force, version 1003 (CC0).
public struct IncidentClass: Hashable, Sendable, Codable {
  /// The classification: `malicious-code`.
  public let taxonomy: String
  /// The incident example, which IntelMQ calls the type: `infected-system`.
  public let type: String

  public init(taxonomy: String, type: String) {
    self.taxonomy = taxonomy
    self.type = type
  }
}

extension Finding.Kind {
  public var incidentClass: IncidentClass {
    switch self {
    case .infectedHost: IncidentClass(taxonomy: "malicious-code", type: "infected-system")
    case .denialOfServiceVictim: IncidentClass(taxonomy: "availability", type: "ddos")
    case .memberAlert: IncidentClass(taxonomy: "intrusions", type: "system-compromise")
    case .scanner: IncidentClass(taxonomy: "information-gathering", type: "scanner")
    case .commandAndControl: IncidentClass(taxonomy: "malicious-code", type: "c2-server")
    case .denialOfServiceSource: IncidentClass(taxonomy: "availability", type: "ddos")
    case .denialOfServiceReflector: IncidentClass(taxonomy: "vulnerable", type: "ddos-amplifier")
    }
  }
}
