public import NetworkTypes

/// NetFlow version 9 and IPFIX. Each set of columns and family has a template of its own.
public struct TemplateEncoder: FlowEncoder {
  public private(set) var skipped: UInt64 = 0
  private let parameters: EncoderParameters
  private let isIPFIX: Bool
  private var clock = ExporterClock()
  private var sequence: UInt32 = 0
  private var datagrams = 0
  private var templates: [EncodingTemplate] = []
  private var writer: DatagramWriter

  /// Options templates have these identifiers, and flows those from 256.
  private static let optionsTemplate: UInt16 = 1_024
  private static let intervalTemplate: UInt16 = 1_025
  private static let samplerID: UInt32 = 1

  public init(_ parameters: EncoderParameters) {
    self.parameters = parameters
    isIPFIX = parameters.version == .ipfix
    writer = DatagramWriter(reserving: max(parameters.largestDatagram, 512))
  }

  public mutating func encode(
    _ batch: FlowBatch, rows: Range<Int>, exportTime: Timestamp, send: (RawSpan) throws -> Void
  ) rethrows {
    // One family after the other, so that a datagram is one set.
    for isIPv6 in [false, true] {
      if isIPv6, batch.isIPv4 { continue }
      let index = template(batch, isIPv6: isIPv6)
      let template = templates[index]
      var row = rows.lowerBound
      while row < rows.upperBound {
        guard Self.isIPv6(batch, row) == isIPv6 else {
          row += 1
          continue
        }
        try datagram(batch, &row, rows.upperBound, index, template, exportTime.seconds, send)
      }
    }
  }

  private static func isIPv6(_ batch: FlowBatch, _ row: Int) -> Bool {
    guard !batch.isIPv4 else { return false }
    return !batch.address(.sourceAddress, row: row).isIPv4
      || !batch.address(.destinationAddress, row: row).isIPv4
  }

  private mutating func datagram(
    _ batch: FlowBatch, _ row: inout Int, _ end: Int, _ index: Int, _ template: EncodingTemplate,
    _ export: Int64, _ send: (RawSpan) throws -> Void
  ) rethrows {
    writer.removeAll()
    header(export)
    var records: UInt32 = 0
    let isDue =
      templates[index].announced.map {
        datagrams - $0 >= max(parameters.datagramsPerTemplate, 1)
      } ?? true
    if isDue {
      templates[index].announced = datagrams
      records += announce(template)
    }
    let start = writer.count
    writer.u16(template.id)
    writer.u16(0)
    let isIPv6 = template.isIPv6
    var count: UInt32 = 0
    while row < end {
      if Self.isIPv6(batch, row) == isIPv6 {
        // The first record always goes in, so that a small limit does not stop everything.
        if count > 0, writer.count + template.length + 3 > parameters.largestDatagram { break }
        put(batch, row, template, export &* 1_000_000_000)
        count += 1
      }
      row += 1
    }
    writer.zeros((4 - (writer.count - start) % 4) % 4)
    writer.patch16(UInt16(truncatingIfNeeded: writer.count - start), at: start + 2)
    records += count
    if isIPFIX {
      writer.patch16(UInt16(truncatingIfNeeded: writer.count), at: 2)
      sequence &+= records - (isDue ? templateCount : 0)
    } else {
      writer.patch16(UInt16(truncatingIfNeeded: records), at: 2)
      sequence &+= 1
    }
    datagrams += 1
    try send(writer.octets.span.bytes)
  }

  private mutating func header(_ export: Int64) {
    writer.u16(isIPFIX ? 10 : 9)
    writer.u16(0)
    if !isIPFIX {
      writer.u32(clock.uptime(export &* 1_000_000_000, exportTime: export &* 1_000_000_000))
    }
    writer.u32(UInt32(truncatingIfNeeded: export))
    writer.u32(sequence)
    writer.u32(parameters.domain)
  }

  /// Template records in an announcement.
  private var templateCount: UInt32 { parameters.samplingRate == nil ? 1 : 3 }

  /// Announces a template and how packets are sampled; gives back the number of records.
  private mutating func announce(_ template: EncodingTemplate) -> UInt32 {
    let start = writer.count
    writer.u16(isIPFIX ? 2 : 0)
    writer.u16(0)
    writer.u16(template.id)
    writer.u16(UInt16(truncatingIfNeeded: template.fields.count))
    for field in template.fields { put(field.wire) }
    writer.patch16(UInt16(truncatingIfNeeded: writer.count - start), at: start + 2)
    guard let rate = parameters.samplingRate else { return 1 }
    isIPFIX ? selectorOptions(rate) : samplerOptions(rate)
    intervalOptions(rate)
    // Three templates and two options records.
    return 5
  }

  private mutating func put(_ field: TemplateField) {
    writer.u16(field.element | (field.enterprise != 0 ? 0x8000 : 0))
    writer.u16(field.length)
    if field.enterprise != 0 { writer.u32(field.enterprise) }
  }

  /// RFC 3954 §6.1: scope "system", then sampler, mode (2 is random) and interval.
  private mutating func samplerOptions(_ rate: UInt32) {
    writer.u16(1)
    writer.u16(28)
    writer.u16(Self.optionsTemplate)
    writer.u16(4)
    writer.u16(12)
    for value: UInt16 in [1, 4, 48, 4, 49, 1, 50, 4] { writer.u16(value) }
    writer.u16(0)
    writer.u16(Self.optionsTemplate)
    writer.u16(20)
    writer.u32(0)
    writer.u32(Self.samplerID)
    writer.u8(2)
    writer.u32(rate)
    writer.zeros(3)
  }

  /// RFC 5477 §8.2.3: a selector that takes 1 of (1 + space) packets at random.
  private mutating func selectorOptions(_ rate: UInt32) {
    writer.u16(3)
    writer.u16(28)
    writer.u16(Self.optionsTemplate)
    writer.u16(4)
    writer.u16(1)
    for value: UInt16 in [302, 4, 304, 2, 305, 4, 306, 4] { writer.u16(value) }
    writer.u16(0)
    writer.u16(Self.optionsTemplate)
    writer.u16(20)
    writer.u32(Self.samplerID)
    writer.u16(3)
    writer.u32(1)
    writer.u32(max(rate, 1) - 1)
    writer.zeros(2)
  }

  /// The same once more as routers said it before there were samplers: the system's, or the domain's,
  /// sampling interval (34) alone. nfcapd 1.7.1 takes a rate from this form only: an options template
  /// with a sampler's identifier or mode it passes over.
  private mutating func intervalOptions(_ rate: UInt32) {
    writer.u16(isIPFIX ? 3 : 1)
    let start = writer.count
    writer.u16(0)
    writer.u16(Self.intervalTemplate)
    if isIPFIX {
      // Two fields, of which the first, the observation domain, is the scope.
      for value: UInt16 in [2, 1, 149, 4, 34, 4] { writer.u16(value) }
    } else {
      // Octets of scope fields and of others; the scope is the system.
      for value: UInt16 in [4, 4, 1, 4, 34, 4] { writer.u16(value) }
      writer.zeros(2)
    }
    writer.patch16(UInt16(truncatingIfNeeded: writer.count - start + 2), at: start)
    writer.u16(Self.intervalTemplate)
    writer.u16(12)
    writer.u32(isIPFIX ? parameters.domain : 0)
    writer.u32(rate)
  }

  private mutating func put(
    _ batch: FlowBatch, _ row: Int, _ template: EncodingTemplate, _ export: Int64
  ) {
    for field in template.fields {
      let length = Int(field.wire.length)
      guard let column = field.column else {
        writer.number(UInt64(Self.samplerID), length: length)
        continue
      }
      switch column.kind {
      case .address: writer.address(batch.address(column, row: row), length: length)
      case .time:
        let moment = Int64(bitPattern: batch.number(column, row: row))
        if isIPFIX {
          writer.u64(UInt64(bitPattern: moment / 1_000_000))
        } else {
          writer.u32(clock.uptime(moment, exportTime: export))
        }
      case .counter, .number, .mac:
        let value = batch.number(column, row: row)
        // A label stack entry: the label, three bits of class, one that says "last".
        writer.number(column == .mplsTopLabel ? value << 4 | 1 : value, length: length)
      }
    }
  }

  /// The template for a batch's columns, made when it is new.
  private mutating func template(_ batch: FlowBatch, isIPv6: Bool) -> Int {
    if let known = templates.firstIndex(where: {
      $0.presence == batch.presence && $0.isIPv6 == isIPv6
    }) {
      return known
    }
    // Identifiers end before the options template's; more column sets than that do not occur, and
    // would begin anew.
    if templates.count >= 512 { templates.removeAll() }
    templates.append(
      EncodingTemplate(
        id: 256 + UInt16(templates.count), batch, isIPv6: isIPv6, isIPFIX: isIPFIX,
        hasSampler: parameters.samplingRate != nil))
    return templates.count - 1
  }
}

/// A template with the columns that fill it.
struct EncodingTemplate {
  struct Field {
    /// Nil for the sampler's identifier.
    let column: FlowColumn?
    let wire: TemplateField
  }

  let id: UInt16
  let presence: UInt64
  let isIPv6: Bool
  let fields: [Field]
  let length: Int
  /// The number of the datagram that last announced it.
  var announced: Int?

  init(id: UInt16, _ batch: FlowBatch, isIPv6: Bool, isIPFIX: Bool, hasSampler: Bool) {
    self.id = id
    presence = batch.presence
    self.isIPv6 = isIPv6
    var fields: [Field] = []
    for column in FlowColumn.allCases {
      // These are there in every flow; others only where the batch has them.
      let isUsual =
        column.rawValue <= FlowColumn.bytes.rawValue && column.rawValue != 11
      guard isUsual || batch.has(column),
        let wire = Self.field(column, isIPv6: isIPv6, isIPFIX: isIPFIX)
      else { continue }
      if hasSampler, column == .samplingRate { continue }
      fields.append(Field(column: column, wire: wire))
    }
    if hasSampler {
      fields.append(
        Field(column: nil, wire: TemplateField(element: isIPFIX ? 302 : 48, length: 4)))
    }
    self.fields = fields
    length = fields.reduce(0) { $0 + Int($1.wire.length) }
  }

  /// The element that a column is sent as; nil for columns that are not sent.
  private static func field(
    _ column: FlowColumn, isIPv6: Bool, isIPFIX: Bool
  ) -> TemplateField? {
    func plain(_ element: UInt16, _ length: UInt16) -> TemplateField {
      TemplateField(element: element, length: length)
    }
    func reverse(_ element: UInt16, _ netflow9: UInt16?, _ length: UInt16) -> TemplateField? {
      isIPFIX
        ? TemplateField(
          element: element, enterprise: ElementMapping.reverseEnterprise, length: length)
        : netflow9.map { plain($0, length) }
    }
    func address(_ four: UInt16, _ six: UInt16) -> TemplateField {
      isIPv6 ? plain(six, 16) : plain(four, 4)
    }
    return switch column {
    case .start: isIPFIX ? plain(152, 8) : plain(22, 4)
    case .end: isIPFIX ? plain(153, 8) : plain(21, 4)
    case .sourceAddress: address(8, 27)
    case .destinationAddress: address(12, 28)
    case .nextHop: address(15, 62)
    case .bgpNextHop: address(18, 63)
    case .postSourceAddress: address(225, 281)
    case .postDestinationAddress: address(226, 282)
    case .sourceMask: plain(isIPv6 ? 29 : 9, 1)
    case .destinationMask: plain(isIPv6 ? 30 : 13, 1)
    case .icmpType: plain(isIPv6 ? 178 : 176, 1)
    case .icmpCode: plain(isIPv6 ? 179 : 177, 1)
    case .reverseBytes: reverse(1, 23, 8)
    case .reversePackets: reverse(2, 24, 8)
    case .reverseTCPFlags: reverse(6, nil, 1)
    case .sourceMAC, .destinationMAC, .postSourceMAC, .postDestinationMAC:
      plain(column.elements.first ?? 56, 6)
    case .mplsTopLabel: plain(70, 3)
    case .samplingRate: plain(34, 4)
    case .samplingSource, .exporter, .received: nil
    default: column.elements.first.map { plain($0, UInt16(column.width)) }
    }
  }
}
