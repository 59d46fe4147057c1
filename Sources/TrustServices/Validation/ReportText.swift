public import NetworkTypes

/// Writes a report for people, in Japanese or English, as plain lines.
public struct ReportText: Sendable {
  private let language: ReportLanguage
  /// Moments as people read them; RFC 3339 in UTC by default.
  private let time: @Sendable (Timestamp) -> String

  /// A writer; `time` may show another time zone.
  public init(
    _ language: ReportLanguage, time: @escaping @Sendable (Timestamp) -> String = { "\($0)" }
  ) {
    self.language = language
    self.time = time
  }

  /// The sentence for a conclusion: what it is, and why.
  public func sentence(_ conclusion: Conclusion) -> String {
    let result = text(conclusion.indication.rawValue)
    guard let reason = conclusion.subIndication else { return result }
    return language == .japanese
      ? "\(result)：\(text(reason.rawValue))" : "\(result): \(text(reason.rawValue))"
  }

  /// The whole report.
  public func render(_ report: ValidationReport, name: String? = nil) -> String {
    var lines: [String] = []
    lines.append(text("title") + (name.map { ": \(Self.printable($0))" } ?? ""))
    field("result", sentence(report.conclusion), 1, &lines)
    if report.conclusion.indication != .totalPassed {
      field("reason", report.conclusion.code, 1, &lines)
    }
    if report.signatures.isEmpty, let detail = report.conclusion.detail {
      field("detail", detail, 1, &lines)
    }
    if let format = report.format { field("format", format.rawValue, 1, &lines) }
    field("checked", time(report.checkedAt), 1, &lines)
    for note in report.notes { field("notes", note, 1, &lines) }
    for signature in report.signatures {
      lines.append("")
      let key =
        report.format == .timeStamp
        ? "stamp" : signature.holder?.kind == .person ? "signature" : "seal"
      lines.append(text(key, ["number": "\(signature.number)"]))
      append(signature, 1, &lines)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func append(_ signature: SignatureReport, _ depth: Int, _ lines: inout [String]) {
    field("result", sentence(signature.conclusion), depth, &lines)
    if signature.conclusion.indication != .totalPassed {
      field("reason", signature.conclusion.code, depth, &lines)
      if let detail = signature.conclusion.detail { field("detail", detail, depth, &lines) }
    }
    if let holder = signature.holder {
      let isBelieved = signature.anchor != nil
      switch holder.kind {
      case .organisation:
        field("organisation", holder.organisation ?? holder.commonName ?? "", depth, &lines)
      case .person: field("person", holder.commonName ?? holder.subject, depth, &lines)
      case .unknown: break
      }
      if let number = holder.corporateNumber {
        field("corporate-number", number.description, depth, &lines)
      } else if let identifier = holder.organizationIdentifier {
        field("identifier", identifier, depth, &lines)
        if holder.hasWrongCorporateNumber {
          lines.append(
            indent(depth) + text("corporate-number-wrong", ["identifier": identifier]))
        }
      }
      field(
        "subject", holder.subject + (isBelieved ? "" : " " + text("unbelieved")), depth, &lines)
      if isBelieved, let scheme = holder.scheme, holder.kind == .organisation {
        field(
          "scheme", text("scheme-\(scheme.edition.rawValue)", ["level": "\(scheme.level)"]), depth,
          &lines)
      }
    }
    if let level = signature.level { field("level", level.rawValue, depth, &lines) }
    if let claimed = signature.claimedTime { field("claimed", time(claimed), depth, &lines) }
    field("proven", signature.provenTime.map(time) ?? text("not-proven"), depth, &lines)
    for content in signature.covers { field("covers", describe(content), depth, &lines) }
    for change in signature.changesAfter {
      let kind = text(change.isAllowed ? "change-allowed" : "change-forbidden")
      let what = change.kind.map { text("change-\($0)", ["subject": change.subject ?? ""]) }
      field("changes", "\(what ?? change.text) (\(kind))", depth, &lines)
    }
    for algorithm in signature.algorithms { append(algorithm, depth, &lines) }
    if let anchor = signature.anchor { field("anchor", anchor, depth, &lines) }
    append(signature.accreditation, depth, &lines)
    for certificate in signature.chain {
      field(
        "chain",
        "\(certificate.subject) (\(text("valid-until", ["date": time(certificate.notAfter)])))",
        depth, &lines)
    }
    for revocation in signature.revocation where revocation.status != .notChecked {
      let status = text(
        revocation.status.rawValue,
        [
          "date": revocation.revokedAt.map(time) ?? "", "reason": revocation.reason ?? "",
        ])
      let origin = [revocation.source, revocation.publishedAt.map(time)].compactMap { $0 }
      field(
        "revocation",
        "\(revocation.subject): \(status)"
          + (origin.isEmpty ? "" : " [\(origin.joined(separator: " "))]"), depth, &lines)
    }
    for stamp in signature.timeStamps {
      let parts = [
        stamp.time.map(time), stamp.authority, text("stamp-\(stamp.kind.rawValue)"),
        sentence(stamp.conclusion),
      ]
      field("stamps", parts.compactMap { $0 }.joined(separator: ", "), depth, &lines)
      append(stamp.accreditation, depth + 1, &lines)
    }
    for note in signature.notes { field("notes", note, depth, &lines) }
    for counter in signature.counterSignatures {
      lines.append(indent(depth) + text("counter", ["number": "\(counter.number)"]))
      append(counter, depth + 1, &lines)
    }
  }

  /// What trusted lists say; a report without lists says nothing of accreditation here.
  private func append(
    _ accreditation: AccreditationAnswer?, _ depth: Int, _ lines: inout [String]
  ) {
    guard let accreditation else { return }
    let moment = ["date": time(accreditation.moment)]
    if accreditation.findings.isEmpty {
      field("accreditation", text("accreditation-none", moment), depth, &lines)
    }
    for finding in accreditation.findings {
      var parts = [
        text(
          "accreditation-\(finding.status.rawValue)",
          ["date": moment["date"] ?? "", "since": finding.since.map(time) ?? ""]),
        finding.schemeName.text(language),
        text("accreditation-by", ["authority": finding.authority.text(language)]),
        finding.serviceName.text(language),
      ]
      if let level = finding.kind.level {
        parts.append(
          text("accreditation-level-\(level.edition.rawValue)", ["level": "\(level.level)"]))
      }
      if let from = finding.validFrom, let until = finding.validUntil {
        parts.append(text("accreditation-days", ["from": "\(from)", "until": "\(until)"]))
      }
      if let later = finding.laterStatus, let since = finding.laterSince {
        parts.append(
          text("accreditation-later-\(later.rawValue)", ["since": time(since)]))
      }
      parts.append(
        text(
          finding.isListOutdated ? "accreditation-list-outdated" : "accreditation-list",
          [
            "operator": finding.listOperator.text(language), "number": "\(finding.listSequence)",
            "date": time(finding.listIssued),
          ]))
      field("accreditation", parts.joined(separator: text("accreditation-join")), depth, &lines)
    }
  }

  private func append(
    _ algorithm: AlgorithmAssessment, _ depth: Int, _ lines: inout [String]
  ) {
    guard let since = algorithm.weakSince else { return }
    let name = algorithm.algorithm + (algorithm.subject.map { " (\($0))" } ?? "")
    let key =
      algorithm.isReliable ? "weak-later" : since == .distantPast ? "weak-ever" : "weak-since"
    field(
      "weak",
      text(key, ["algorithm": name, "since": time(since), "source": algorithm.source]), depth,
      &lines)
  }

  private func describe(_ content: CoveredContent) -> String {
    var parts: [String] = []
    if let name = content.name { parts.append(name) }
    if content.isEnclosed { parts.append(text("covers-enclosed")) }
    if let hash = content.digestAlgorithm, let digest = content.digest {
      parts.append("\(hash) \(digest)")
    }
    if !content.isWhole { parts.append(text("covers-part")) }
    if !content.isIntact { parts.append(text("not-intact")) }
    return parts.joined(separator: " ")
  }

  private func text(_ key: String, _ values: [String: String] = [:]) -> String {
    ReportCatalogue.text(key, language, values)
  }

  private func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  private func field(_ key: String, _ value: String, _ depth: Int, _ lines: inout [String]) {
    let separator = language == .japanese ? "：" : ": "
    lines.append(indent(depth) + text(key) + separator + Self.printable(value))
  }

  /// Names come from certificates and files: nothing in them may move a terminal's cursor or turn
  /// the direction of the text.
  private static func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

extension Conclusion {
  /// The words of the standard, such as `INDETERMINATE/TRY_LATER`.
  public var code: String {
    [indication.rawValue, subIndication?.rawValue].compactMap { $0 }.joined(separator: "/")
  }
}
