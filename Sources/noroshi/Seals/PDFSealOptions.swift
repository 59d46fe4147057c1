import ArgumentParser
import TrustServices

/// What a seal in a PDF says and shows.
struct PDFSealOptions: ParsableArguments {
  @Flag(
    name: .long, help: "PDF: show the seal as a box with the organisation's name and the time.")
  var visible = false

  @Option(
    name: .long,
    help: "PDF: the page of the visible seal, counted from 1; the last one where there are fewer.")
  var page: Int?

  @Option(name: .long, help: "PDF: why it is sealed.")
  var reason: String?

  @Option(name: .long, help: "PDF: the name of the signature field that is added.")
  var field: String?

  /// Whether anything is given that only a PDF takes.
  var isGiven: Bool { visible || page != nil || reason != nil || field != nil }

  func validate() throws {
    if let page, page < 1 { throw ValidationError("--page counts from 1.") }
    if page != nil, !visible { throw ValidationError("--page goes with --visible.") }
  }

  var description: PAdESSealer.Description {
    var description = PAdESSealer.Description()
    description.reason = reason
    description.fieldName = field
    if visible {
      var appearance = SealAppearance()
      appearance.page = page ?? 1
      description.appearance = appearance
    }
    return description
  }
}
