/// What a signature says of the changes after it.
struct PAdESChanges {
  private(set) var list: [ChangeAfter] = []
  /// Why the signature does not stand for the document as it is now; nil where it does.
  private(set) var conclusion: Conclusion?

  /// Judges `changes`; `permission` is what a certifying signature permits, `locks` says which fields
  /// must stay.
  init(
    _ changes: [PDFChange], permission: Int?, locks: (@Sendable (String) -> Bool)?, end: Int
  ) {
    for change in changes {
      var change = change
      if case .formField(let name) = change, locks?(name) == true { change = .fieldLocked(name) }
      let (key, subject, english) = Self.words(change)
      let isAllowed =
        switch change {
        case .validationData, .documentTimeStamp, .version, .information, .formDefaults: true
        case .signature, .visibleSignature, .signatureField, .formField: permission != 1
        case .annotation: permission == 3
        case .pageContent, .pages, .signatureAltered, .fieldAltered, .fieldLocked, .catalogue,
          .appearanceAltered, .trailing, .unreadable:
          false
        }
      list.append(
        ChangeAfter(isAllowed: isAllowed, text: english, kind: key, subject: subject))
      guard !isAllowed else { continue }
      let isContent =
        switch change {
        case .pageContent, .pages, .signatureAltered, .appearanceAltered, .trailing, .unreadable:
          true
        default: false
        }
      // Worst first: what is shown is not what was signed.
      if isContent, conclusion?.indication != .totalFailed {
        conclusion = .failed(
          .hashFailure,
          "After the signature: \(english). It covers the first \(end) octets of the file alone. "
            + "Rely on those, not on the file.")
      } else if conclusion == nil {
        conclusion = .indeterminate(
          .sigConstraintsFailure,
          "After the signature: \(english). It covers the first \(end) octets of the file alone. "
            + "Ask the signer whether the change is meant.")
      }
    }
  }

  /// The key in the catalogue of texts, what goes into it, and the English.
  private static func words(_ change: PDFChange) -> (key: String, subject: String?, text: String) {
    let (key, subject): (String, String?) =
      switch change {
      case .validationData: ("dss", nil)
      case .documentTimeStamp(let name): ("document-stamp", name)
      case .signature(let name): ("signature", name)
      case .visibleSignature(let name): ("visible-signature", name)
      case .signatureField(let name): ("signature-field", name)
      case .formField(let name): ("form-field", name)
      case .formDefaults: ("form-defaults", nil)
      case .information: ("information", nil)
      case .version: ("version", nil)
      case .annotation(let page): ("annotation", "\(page)")
      case .pageContent(let page): ("page-content", "\(page)")
      case .pages(let before, let after): ("pages", "\(before) → \(after)")
      case .signatureAltered(let name): ("signature-altered", name)
      case .fieldAltered(let name): ("field-altered", name)
      case .fieldLocked(let name): ("field-locked", name)
      case .appearanceAltered(let name): ("appearance-altered", name)
      case .catalogue(let key): ("catalogue", key)
      case .trailing: ("trailing", nil)
      case .unreadable: ("unreadable", nil)
      }
    let text = ReportCatalogue.text("change-\(key)", .english, ["subject": subject ?? ""])
    return (key, subject, text)
  }
}
