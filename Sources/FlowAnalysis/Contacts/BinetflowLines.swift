import NetworkTypes

/// Lines of Argus' bidirectional NetFlow in CSV, the form of CTU-13 (García et al. 2014, "An empirical
/// comparison of botnet detection methods", §5).
///
/// `SrcAddr` is the initiator where `Dir` points right; `<-` and `<?` exchange the ends; where Argus
/// did not see the beginning (`<?>`, `?>`) the ports decide (``Orientation``).
struct BinetflowLines {
  private let start: Int
  private let duration: Int
  private let transport: Int
  private let source: Int
  private let sourcePort: Int
  private let direction: Int
  private let destination: Int
  private let destinationPort: Int
  private let state: Int
  private let packets: Int
  private let bytes: Int
  private let sourceBytes: Int?
  private let sourcePackets: Int?
  private let label: Int?
  private let width: Int

  init(header: ArraySlice<UInt8>, path: String) throws(LabelledFlowError) {
    var names: [String: Int] = [:]
    for (index, field) in FieldText.split(header, by: 44).enumerated() {
      names[FieldText.string(FieldText.trimmed(field))] = index
    }
    func column(_ name: String) throws(LabelledFlowError) -> Int {
      guard let index = names[name] else { throw .missingColumn(path: path, column: name) }
      return index
    }
    start = try column("StartTime")
    duration = try column("Dur")
    transport = try column("Proto")
    source = try column("SrcAddr")
    sourcePort = try column("Sport")
    direction = try column("Dir")
    destination = try column("DstAddr")
    destinationPort = try column("Dport")
    state = try column("State")
    packets = try column("TotPkts")
    bytes = try column("TotBytes")
    sourceBytes = names["SrcBytes"]
    sourcePackets = names["SrcPkts"]
    label = names["Label"]
    width =
      1
      + max(start, duration, transport, source, sourcePort, direction, destination, destinationPort)
    // Columns behind the state may be cut off in old files.
  }

  /// A line's flow; nil for other protocols and lines that are not complete.
  func flow(_ line: ArraySlice<UInt8>, labels: inout LabelTexts) -> LabelledFlow? {
    let fields = FieldText.split(line, by: 44)
    guard fields.count >= width else { return nil }
    func field(_ index: Int?) -> ArraySlice<UInt8> {
      guard let index, index < fields.count else { return [] }
      return FieldText.trimmed(fields[index])
    }
    guard let transport = FieldText.transport(field(transport)),
      let begin = Self.moment(field(start)),
      let source = FieldText.address(field(source)),
      let destination = FieldText.address(field(destination))
    else { return nil }
    let isICMP = transport == 1 || transport == 58
    let length = FieldText.nanoseconds(field(duration)) ?? 0
    let totalPackets = FieldText.unsigned(field(packets)) ?? 0
    let totalBytes = FieldText.unsigned(field(bytes)) ?? 0
    let answered = Self.isAnswered(field(state), direction: field(direction))
    let out = sourceBytes.flatMap { FieldText.unsigned(field($0)) } ?? totalBytes / 2
    let packetsOut =
      sourcePackets.flatMap { FieldText.unsigned(field($0)) }
      ?? (answered ? (totalPackets + 1) / 2 : totalPackets)
    var contact = Contact(
      start: begin, end: begin.addingReportingOverflow(length).partialValue, client: source,
      server: destination,
      clientPort: isICMP ? 0 : FieldText.port(field(sourcePort)) ?? 0,
      serverPort: isICMP ? 0 : FieldText.port(field(destinationPort)) ?? 0, transport: transport,
      side: .both, isAnswered: answered, packetsOut: min(packetsOut, totalPackets),
      packetsIn: totalPackets - min(packetsOut, totalPackets), bytesOut: min(out, totalBytes),
      bytesIn: totalBytes - min(out, totalBytes))
    var sourceIsClient = true
    let arrow = field(direction)
    let pointsLeft = arrow.first == 60  // <
    let pointsRight = arrow.last == 62  // >
    let isUnsure = arrow.contains(63)  // ?
    if pointsLeft, !pointsRight {
      sourceIsClient = false
    } else if isUnsure,
      PortClass.rank(contact.clientPort) > PortClass.rank(contact.serverPort)
    {
      sourceIsClient = false
    }
    if !sourceIsClient { contact = contact.reversed }
    return LabelledFlow(
      contact: contact, sourceIsClient: sourceIsClient,
      label: label == nil ? .background : labels.label(field(label)))
  }

  /// `2011/08/16 10:01:46.972101`, taken as UTC.
  static func moment(_ field: ArraySlice<UInt8>) -> Int64? {
    let bytes = Array(field)
    guard bytes.count >= 19 else { return FieldText.nanoseconds(field) }
    func number(_ range: Range<Int>) -> Int64? {
      FieldText.unsigned(bytes[range]).map { Int64(clamping: $0) }
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    // Days since 1970 by the civil calendar (Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    guard seconds > -9_000_000_000, seconds < 9_000_000_000 else { return nil }
    let fraction = bytes.count > 20 ? FieldText.nanoseconds([48] + bytes[19...]) ?? 0 : 0
    return seconds * 1_000_000_000 + min(fraction, 999_999_999)
  }

  /// Argus' states: `FSPA_FSPA` has the flags of both sides; words say it otherwise.
  private static func isAnswered(_ state: ArraySlice<UInt8>, direction: ArraySlice<UInt8>) -> Bool {
    if let underscore = state.firstIndex(of: 95) { return underscore + 1 < state.endIndex }
    switch FieldText.string(state) {
    case "INT", "REQ", "URP", "URH", "URHPRO", "URN", "URF", "URO", "TXD", "": return false
    case "CON", "ACC", "EST", "FIN", "CLO", "RST", "ECR", "RSP", "TST": return true
    default: return direction.first == 60 && direction.last == 62
    }
  }
}

/// Label texts and what they mean, each read once.
struct LabelTexts {
  private var known: [ArraySlice<UInt8>: FlowLabel] = [:]

  mutating func label(_ text: ArraySlice<UInt8>) -> FlowLabel {
    if let label = known[text] { return label }
    let label = FlowLabel(text: FieldText.string(text))
    // CTU-13 has some hundred texts; a file that makes every label its own must not fill memory.
    if known.count < 10_000 { known[ArraySlice(Array(text))] = label }
    return label
  }
}
