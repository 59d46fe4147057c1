import Casework
import Constituency
import Findings
import Geolocation
import NetworkTypes
import Settings
import Store

extension House {
  /// The cases, in a database that is up to date.
  func caseRegister(_ store: DataStore) throws -> CaseRegister {
    try CaseRegister(
      store: store, trail: AuditTrail(store: store), parameters: caseworkParameters)
  }

  var caseworkParameters: CaseworkParameters {
    var parameters = CaseworkParameters()
    let settings = configuration.casework
    parameters.quietDays = Double(settings.quietDays)
    parameters.reopenDays = Double(settings.reopenDays)
    parameters.dueDays = Double(settings.dueDays)
    parameters.minimumConfidence = settings.minimumConfidence
    return parameters
  }

  /// Who answers for a finding: by its address, then by the AS number that the geographic data, or
  /// the sensor, gives.
  func responsibility() throws -> (Finding) -> Responsibility {
    let index = ConstituencyIndex(try constituency())
    let geo = try geo()
    return { finding in
      let address = finding.subject.address
      var asn = geo.lookup(address).asn
      if asn == .unknown, let named = finding.attributes["asn"].flatMap({ ASN(text: $0) }) {
        asn = named
      }
      return index.responsible(for: address, asn: asn == .unknown ? nil : asn)
    }
  }

  /// Makes cases of findings, and closes those that have become quiet.
  ///
  /// - Parameter moment: the time of the data; the latest sighting where it is nil.
  func take(_ findings: [Finding], at moment: Timestamp?) throws -> CaseChanges {
    let register = try caseRegister(try store())
    let latest = findings.map(\.lastSeen).max()
    guard let moment = moment ?? latest else { return CaseChanges() }
    let changes = try register.record(findings, at: moment, responsibility: responsibility())
    try register.closeQuiet(asOf: moment)
    return changes
  }

  /// The networks of organisations that are told when their addresses reach dark space.
  func memberPrefixes() throws -> [(organisation: String, prefix: IPPrefix)] {
    ConstituencyIndex(try constituency()).memberPrefixes.map { ($0.organisation, $0.prefix) }
  }
}
