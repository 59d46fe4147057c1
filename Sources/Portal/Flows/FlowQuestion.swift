import FlowArchive
import NetworkTypes

/// What a visitor wants to know of flows, as it stands in the address.
struct FlowQuestion: Sendable, Equatable {
  /// How the answer is shown.
  enum View: String, Sendable, CaseIterable { case summary, top, list, connections }
  /// What time series and shares count.
  enum Measure: String, Sendable, CaseIterable {
    case bytes, packets, flows

    var order: FlowQuery.Order {
      switch self {
      case .bytes: .bytes
      case .packets: .packets
      case .flows: .flows
      }
    }
  }

  var filter = ""
  var purpose = ""
  /// A word of ``FlowWindow/presets``, `all`, or nil for ``from`` and ``to``.
  var last: String?
  var from: Timestamp?
  var to: Timestamp?
  var view = View.summary
  /// What ``View/top`` groups by.
  var by = "srcip"
  var measure = Measure.bytes
  /// A column's name, with `-` for falling order; nil for the view's own.
  var sort: String?
  var page = 1
  var size: Int?
  /// Counters as sent, not times the sampling rate.
  var isRaw = false
  /// Only flows that begin and end in the window; otherwise all that were alive in it.
  var isInside = false
  /// The two ends of a conversation.
  var a: IPAddress?
  var b: IPAddress?
}

extension FlowQuestion {
  /// Parameters that say something about the page and not about the question.
  static let controls: Set<String> = ["run", "ticket", "lang"]

  /// Reads a visit's query; what is empty is as if it were not there.
  ///
  /// - Throws: ``Problem`` 400 that names the parameter.
  init(_ visit: Visit) throws {
    let limits = visit.platform.configuration.parameters
    for (name, value) in visit.query where !value.isEmpty {
      switch name {
      case "filter":
        filter = try Self.text(name, value, limits.flows.filterLength)
      case "purpose":
        purpose = try Self.text(name, value, limits.flows.purposeLength)
          .trimmingWhitespace
      case "last":
        guard FlowWindow.words.contains(value) else {
          throw Problem.field(
            name, "choice", ["words": FlowWindow.words.joined(separator: ", ")])
        }
        last = value
      case "from": from = try Self.moment(name, value, visit)
      case "to": to = try Self.moment(name, value, visit)
      case "view": view = try Self.word(name, value)
      case "measure": measure = try Self.word(name, value)
      case "by":
        guard FlowPlan.kind(by: value) != nil else { throw Problem.field(name, "element") }
        by = value
      case "sort": sort = value
      case "page": page = try Self.whole(name, value, 1...1_000_000)
      case "size": size = try Self.whole(name, value, 1...limits.pageSizeLimit)
      case "raw": isRaw = try Self.flag(name, value)
      case "inside": isInside = try Self.flag(name, value)
      case "a": a = try Self.address(name, value)
      case "b": b = try Self.address(name, value)
      case _ where Self.controls.contains(name) || FlowBuilder.names.contains(name): break
      default: throw Problem.field(name, "unknown")
      }
    }
    if last == nil, from == nil, to == nil { last = FlowWindow.usual }
    if last != nil {
      from = nil
      to = nil
    }
    if let from, let to, from > to { throw Problem.field("to", "before-start") }
    if let sort, FlowPlan.order(sort, of: view) == nil { throw Problem.field("sort", "sort") }
  }

  private static func text(_ name: String, _ value: String, _ limit: Int) throws -> String {
    guard value.count <= limit else {
      throw Problem.field(name, "long", ["limit": String(limit)])
    }
    return value
  }

  private static func moment(_ name: String, _ value: String, _ visit: Visit) throws -> Timestamp {
    guard let moment = Timestamp(dateOrMoment: value, in: visit.inputZone) else {
      throw Problem.field(name, "time")
    }
    return moment
  }

  private static func word<Word: RawRepresentable & CaseIterable>(
    _ name: String, _ value: String
  ) throws -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: value) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem.field(name, "choice", ["words": words])
    }
    return word
  }

  private static func whole(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws
    -> Int
  {
    guard let number = Int(value), range.contains(number) else {
      throw Problem.field(
        name, "whole", ["from": String(range.lowerBound), "to": String(range.upperBound)])
    }
    return number
  }

  private static func flag(_ name: String, _ value: String) throws -> Bool {
    switch value {
    case "true", "1", "on": return true
    case "false", "0": return false
    default: throw Problem.field(name, "flag")
    }
  }

  private static func address(_ name: String, _ value: String) throws -> IPAddress {
    guard let address = IPAddress(value.trimmingWhitespace) else {
      throw Problem.field(name, "address")
    }
    return address
  }
}

extension FlowQuestion {
  /// Its parameters in a fixed order, without those that are as usual.
  var parameters: [(name: String, value: String)] {
    var result: [(String, String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { result.append((name, value)) }
    }
    add("a", a?.description)
    add("b", b?.description)
    add("filter", filter)
    add("purpose", purpose)
    add("last", last)
    add("from", from?.description)
    add("to", to?.description)
    add("view", view == .summary ? nil : view.rawValue)
    add("by", view == .top ? by : nil)
    add("measure", measure == .bytes ? nil : measure.rawValue)
    add("sort", sort)
    add("page", page == 1 ? nil : String(page))
    add("size", size.map { String($0) })
    add("raw", isRaw ? "true" : nil)
    add("inside", isInside ? "true" : nil)
    return result
  }

  /// The address of a page that asks this; it searches only with `isRun`, otherwise it fills the form.
  func link(
    _ path: String = "/flows", isRun: Bool = true, _ change: (inout FlowQuestion) -> Void = { _ in }
  ) -> String {
    var question = self
    change(&question)
    let pairs = question.parameters + (isRun ? [("run", "1")] : [])
    let text = pairs.map { "\($0.0)=\(QueryText.encode($0.1))" }
    return text.isEmpty ? path : path + "?" + text.joined(separator: "&")
  }

  /// The same with one more condition, from its first page.
  func narrowed(by condition: String) -> FlowQuestion {
    var question = self
    question.filter = FlowBuilder.both(filter, condition)
    question.page = 1
    return question
  }
}

extension String {
  var trimmingWhitespace: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
