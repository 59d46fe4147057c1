public import Constituency
import Findings

/// How one recipient is told of one case: the "directive" of intelmq-mailgen (BSI and Intevation).
/// Cases whose directives are equal go into one notice.
public struct Directive: Hashable, Sendable {
  /// A mail address, or the organisation's identifier, which names its folder.
  public var recipient: String
  public var channel: DeliveryPreferences.Channel
  /// mailgen's notification and event-data format in one: what the notice consists of.
  public var formats: Set<DeliveryPreferences.Format>
  /// The family of keys in the catalogue that the text is made of.
  public var template: String
  public var language: Language
  /// Cases with the same identifier share a notice: `organisation`, `kind:infected-host`,
  /// `address:192.0.2.7`.
  public var aggregateIdentifier: String
  /// Seconds between notices, 0 at once.
  public var intervalSeconds: Int

  /// Why nobody is told of a case now. Raw values are stable.
  public enum Hold: String, Error, Hashable, Sendable, Codable, CaseIterable {
    /// Nobody answers for the address.
    case unassigned
    /// Several claim the address.
    case contested
    /// The organisation is no longer in the constituency.
    case unknownOrganisation = "unknown-organisation"
    /// The organisation, or each of its contacts, wants no notices.
    case doNotNotify = "do-not-notify"
    /// Its interval is -1.
    case never
    /// It has no channel, or mail alone and no abuse contact.
    case noContact = "no-contact"
    /// Below the organisation's least confidence.
    case confidence
    /// Narrower than the organisation may see.
    case marking
    /// Told before, and nothing new that is worth a second notice yet.
    case alreadyTold = "already-told"
    /// Collected until the next moment of the organisation's interval.
    case notDue = "not-due"
  }

  /// The directives for a case, one for each recipient, in the order of the contacts.
  ///
  /// - Throws: ``Hold`` where nobody may be told.
  public static func directives(for item: Case, of organisation: Organisation) throws(Hold)
    -> [Directive]
  {
    let preferences = organisation.delivery
    if preferences.doNotNotify { throw .doNotNotify }
    if preferences.intervalSeconds < 0 { throw .never }
    guard item.confidence.percent >= preferences.minimumConfidence else { throw .confidence }
    guard item.marking <= organisation.maximumMarking else { throw .marking }
    let desks = organisation.contacts.filter { $0.role == .abuse }
    if !desks.isEmpty, desks.allSatisfy(\.doNotNotify) { throw .doNotNotify }
    let aggregate =
      switch preferences.aggregateBy {
      case .nothing: "organisation"
      case .kind: "kind:\(item.kind.rawValue)"
      case .address: "address:\(item.address)"
      }
    var recipients: [(String, DeliveryPreferences.Channel, Language)] = []
    if preferences.channels.contains(.directory) {
      recipients.append((organisation.id, .directory, organisation.language))
    }
    if preferences.channels.contains(.smtp) {
      var seen = Set<String>()
      for desk in desks where !desk.doNotNotify && seen.insert(desk.email).inserted {
        recipients.append((desk.email, .smtp, desk.language ?? organisation.language))
      }
    }
    guard !recipients.isEmpty else { throw .noContact }
    return recipients.map { recipient, channel, language in
      Directive(
        recipient: recipient, channel: channel, formats: preferences.formats, template: "notice",
        language: language, aggregateIdentifier: aggregate,
        intervalSeconds: preferences.intervalSeconds)
    }
  }
}

extension Organisation {
  /// ``DeliveryPreferences/maximumMarking`` in the vocabulary of findings; a word that is none lets
  /// only the widest circle through.
  var maximumMarking: TrafficLight { TrafficLight(rawValue: delivery.maximumMarking) ?? .clear }
}
