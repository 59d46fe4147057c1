import NetworkTypes

/// The way from something that has an address to the flows of it: a search that is filled in, with a purpose
/// that can be changed, and not begun.
struct FlowLink: Sendable {
  /// Whether there are flows to search.
  var isOffered = false

  /// What is looked at before and after what was seen, in seconds: our own choice, an hour.
  private static let margin = 3_600.0

  /// A link for those who may search; nothing for others.
  ///
  /// - Parameter seen: when the address was seen; without it the usual window is searched.
  func html(
    _ address: IPAddress, seen: ClosedRange<Timestamp>?, purpose: String, _ visit: Visit
  ) -> HTML {
    guard isOffered, Route.Audience.staff.admits(visit.viewer?.account.role) else { return .empty }
    var question = FlowQuestion()
    question.filter = "ip \(address)"
    question.purpose = purpose
    question.from = seen?.lowerBound.advanced(bySeconds: -Self.margin)
    question.to = seen?.upperBound.advanced(bySeconds: Self.margin)
    return """
      <p class="more"><a href="\(question.link(isRun: false))">\(visit.t("flows.of-address"))</a></p>
      """
  }

  /// A link to the connections that a filter lets pass, likewise.
  func connections(
    _ filter: String, seen: ClosedRange<Timestamp>, view: FlowQuestion.View = .connections,
    purpose: String, _ visit: Visit
  ) -> HTML {
    guard isOffered, Route.Audience.staff.admits(visit.viewer?.account.role) else { return .empty }
    var question = FlowQuestion()
    question.filter = filter
    question.purpose = purpose
    question.view = view
    question.from = seen.lowerBound.advanced(bySeconds: -Self.margin)
    question.to = seen.upperBound.advanced(bySeconds: Self.margin)
    return """
      <p class="more"><a href="\(question.link(isRun: false))">\(visit.t("flows.of-these"))</a></p>
      """
  }

  /// A link to what two addresses said to each other, likewise.
  func conversation(
    _ a: IPAddress, _ b: IPAddress, seen: ClosedRange<Timestamp>, purpose: String, _ visit: Visit
  ) -> HTML {
    guard isOffered, Route.Audience.staff.admits(visit.viewer?.account.role) else { return .empty }
    var question = FlowQuestion()
    question.a = a
    question.b = b
    question.purpose = purpose
    question.from = seen.lowerBound.advanced(bySeconds: -Self.margin)
    question.to = seen.upperBound.advanced(bySeconds: Self.margin)
    return """
      <a href="\(question.link("/flows/conversation", isRun: false))">\(visit.t("flows.conversation"))</a>
      """
  }
}
