/// One step of a plan: a field's octets become values of a column.
struct FieldStep: Sendable {
  let column: FlowColumn
  let kind: FieldKind
  /// Which field of the template.
  let field: Int
  /// Octets of the field to skip, and to read; a length of 0 is that of the record's own field.
  let skip: Int
  let length: Int
}

/// Where a field starts in a record, and how long it is.
struct FieldPlace: Sendable {
  var offset: Int
  var length: Int
}

/// A template compiled to steps, so that nothing is looked up for a record. A class, as a set's plan is
/// taken from a table for some tens of records, and copying its arrays' references would cost more than a
/// record.
final class DecodingPlan: Sendable {
  enum Family: Sendable { case ipv4, ipv6, mixed, none }

  let template: Template
  let steps: [FieldStep]
  /// Octets of every record, and where its fields are; nil when a field states its own length.
  let recordLength: Int?
  let places: [FieldPlace]
  let shortestRecord: Int
  let family: Family
  /// Whether a zero address must not overwrite one of the other family.
  let isMixed: Bool
  let hasStart: Bool
  let hasEnd: Bool
  let hasSamplingRate: Bool
  let hasICMP: Bool
  let hasDestinationPort: Bool
  /// Fields by position: of the record's sampler, duration, and so on.
  let samplerField: Int?
  let durationField: (field: Int, nanosecondsPerUnit: Int64)?
  let systemStartField: Int?
  let uptimeField: Int?
  let samplingPair: (interval: Int, space: Int)?

  init(_ template: Template) {
    self.template = template
    recordLength = template.recordLength
    shortestRecord = template.shortestRecord
    var at = 0
    places = template.fields.map { field in
      let length = field.length == TemplateField.variableLength ? 0 : Int(field.length)
      defer { at += length }
      return FieldPlace(offset: at, length: length)
    }
    let chosen = Self.choose(template)
    steps = chosen
    let addresses = chosen.filter { step in
      step.column == .sourceAddress || step.column == .destinationAddress
    }
    let hasIPv4 = addresses.contains { $0.kind == .address4 }
    let hasIPv6 = addresses.contains { $0.kind == .address6 }
    let hasOtherIPv6 = chosen.contains { $0.kind == .address6 }
    isMixed = chosen.contains { $0.kind == .address4 } && hasOtherIPv6
    family =
      hasIPv4
      ? (hasOtherIPv6 ? .mixed : .ipv4) : hasIPv6 ? .ipv6 : hasOtherIPv6 ? .mixed : .none
    hasStart = chosen.contains { $0.column == .start }
    hasEnd = chosen.contains { $0.column == .end }
    hasSamplingRate = chosen.contains { $0.column == .samplingRate }
    hasICMP = chosen.contains { $0.column == .icmpType }
    hasDestinationPort = chosen.contains { $0.column == .destinationPort }
    func first(_ elements: UInt16...) -> Int? {
      template.fields.firstIndex {
        $0.enterprise == 0 && elements.contains($0.element) && $0.length > 0
      }
    }
    samplerField = first(48, 302)
    durationField =
      first(161).map { ($0, 1_000_000) } ?? first(162).map { ($0, 1_000) }
    systemStartField = first(160)
    uptimeField = first(21)
    if let interval = first(305), let space = first(306) {
      samplingPair = (interval, space)
    } else {
      samplingPair = nil
    }
  }

  /// Whether its records say who talked to whom, by address or by MAC address.
  var isFlow: Bool {
    family != .none || steps.contains { $0.column == .sourceMAC || $0.column == .destinationMAC }
  }

  /// The best element for each column; of two addresses of different families both.
  private static func choose(_ template: Template) -> [FieldStep] {
    var best: [FlowColumn: [(mapping: ElementMapping, field: Int)]] = [:]
    for (index, field) in template.fields.enumerated() where field.length > 0 {
      for mapping in ElementMapping.of(field) {
        guard fits(mapping, field) else { continue }
        best[mapping.column, default: []].append((mapping, index))
      }
    }
    let bytesField = best[.bytes]?.min { $0.mapping.preference < $1.mapping.preference }?.field
    let packetsField =
      best[.packets]?.min { $0.mapping.preference < $1.mapping.preference }?.field
    // A "post" counter that is the only counter is not the reverse direction's as well.
    best[.reverseBytes]?.removeAll { $0.field == bytesField }
    best[.reversePackets]?.removeAll { $0.field == packetsField }
    var steps: [FieldStep] = []
    for column in FlowColumn.allCases {
      guard let candidates = best[column], !candidates.isEmpty else { continue }
      func add(_ candidate: (mapping: ElementMapping, field: Int)) {
        let length = template.fields[candidate.field].length
        steps.append(
          FieldStep(
            column: column, kind: candidate.mapping.kind, field: candidate.field,
            skip: candidate.mapping.part?.skip ?? 0,
            length: candidate.mapping.part?.length
              ?? (length == TemplateField.variableLength ? 0 : Int(length))))
      }
      func lowest(
        where isMeant: (ElementMapping) -> Bool
      ) -> (mapping: ElementMapping, field: Int)? {
        // `min` gives the first of equals, as the first of two equal fields is the outer one.
        candidates.filter { isMeant($0.mapping) }
          .min { $0.mapping.preference < $1.mapping.preference }
      }
      if column.kind == .address {
        if let four = lowest(where: { $0.kind == .address4 }) { add(four) }
        if let six = lowest(where: { $0.kind == .address6 }) { add(six) }
      } else if let one = lowest(where: { _ in true }) {
        if one.mapping.kind == .flags {
          for candidate in candidates where candidate.mapping.kind == .flags { add(candidate) }
        } else {
          add(one)
        }
      }
    }
    return steps
  }

  /// Whether a field is as long as its kind needs; wrong ones are passed over.
  private static func fits(_ mapping: ElementMapping, _ field: TemplateField) -> Bool {
    if field.length == TemplateField.variableLength {
      // A number may be sent in any length; what has one size only is never sent so.
      return mapping.kind == .number && mapping.part == nil
    }
    return switch mapping.kind {
    case .number, .flags: mapping.part.map { Int(field.length) >= $0.skip + $0.length } ?? true
    case .address4, .uptime, .seconds, .microsecondsBefore: field.length == 4
    case .address6: field.length == 16
    case .milliseconds, .ntpTime: field.length == 8
    case .label: field.length == 3 || field.length == 4
    }
  }
}
