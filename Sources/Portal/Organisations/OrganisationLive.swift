import Constituency

extension OrganisationRecord {
  init(_ organisation: Organisation) {
    let delivery = organisation.delivery
    self.init(
      id: organisation.id, name: organisation.name, nameJa: organisation.nameJa,
      roles: organisation.roles.map(\.rawValue).sorted(), prefixes: organisation.prefixes,
      systems: organisation.asns,
      contacts: organisation.contacts.map { "\($0.name) <\($0.email)>" },
      preferences: delivery.formats.map(\.rawValue).sorted()
        + delivery.channels.map(\.rawValue).sorted()
        + [
          "\(delivery.intervalSeconds)s", "≥\(delivery.minimumConfidence)%",
          delivery.maximumMarking,
        ]
        + (delivery.isSilent ? ["silent"] : []))
  }
}
