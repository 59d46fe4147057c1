import FoundationEssentials
public import NetworkTypes

/// One record of a time-stamp authority's journal: a line of text, so that anybody can read and hash
/// it with tools of their own.
///
///     stamp 1c7f… 2026-11-25T09:00:00.125Z 9d3a… 17
///     clock {"state":"ok",…}
///     anchor MII…(token) bm9yb3No…(signed head)
public enum TimeStampEntry: Hashable, Sendable {
  /// A stamp that was made: its serial number, moment, the SHA-256 of the token, and the number of
  /// the clock record in force.
  case stamp(serialNumber: [UInt8], genTime: Timestamp, tokenHash: [UInt8], clockRecord: UInt64?)
  /// What the clock was compared with.
  case clock(ClockRecord)
  /// A signed head of this journal with the authority's own stamp over it, in Base64.
  case anchor(token: [UInt8], note: String)

  /// The line, without its end.
  public var encoded: [UInt8] {
    switch self {
    case .stamp(let serialNumber, let genTime, let tokenHash, let clockRecord):
      var line: [UInt8] = []
      line.reserveCapacity(160)
      line += "stamp ".utf8
      Hexadecimal.append(serialNumber, to: &line)
      line.append(0x20)
      line += genTime.description.utf8
      line.append(0x20)
      Hexadecimal.append(tokenHash, to: &line)
      line.append(0x20)
      line += (clockRecord.map(String.init) ?? "-").utf8
      return line
    case .clock(let record): return Array("clock \(record.json)".utf8)
    case .anchor(let token, let note):
      return Array(
        "anchor \(Data(token).base64EncodedString()) \(Data(note.utf8).base64EncodedString())".utf8)
    }
  }

  /// Reads a line; nil where it is none of these.
  public init?(_ encoded: some Collection<UInt8>) {
    guard let text = String(validating: encoded, as: UTF8.self) else { return nil }
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "stamp":
      let fields = parts[1].split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count == 4, let serial = Hexadecimal.octets(fields[0]), !serial.isEmpty,
        serial.count <= 20, let time = Timestamp(String(fields[1])),
        let hash = Hexadecimal.octets(fields[2]), hash.count == 32,
        fields[3] == "-" || UInt64(fields[3]) != nil
      else { return nil }
      self = .stamp(
        serialNumber: serial, genTime: time, tokenHash: hash, clockRecord: UInt64(fields[3]))
    case "clock":
      guard let record = try? JSONDecoder().decode(ClockRecord.self, from: Data(parts[1].utf8))
      else { return nil }
      self = .clock(record)
    case "anchor":
      let fields = parts[1].split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count == 2, let token = Data(base64Encoded: String(fields[0])),
        let note = Data(base64Encoded: String(fields[1])),
        let text = String(validating: note, as: UTF8.self)
      else { return nil }
      self = .anchor(token: Array(token), note: text)
    default: return nil
    }
  }
}
