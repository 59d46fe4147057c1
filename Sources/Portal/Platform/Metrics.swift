import Synchronization

/// What `/metrics` says, in the text format of Prometheus (exposition format 0.0.4).
///
/// Systems register closures that give their samples when they are asked, so that counting costs
/// nothing between two visits:
/// ```swift
/// metrics.register("noroshi_packets_total", help: "Packets read.", kind: .counter) {
///   [MetricSample(value: Double(counters.packets))]
/// }
/// ```
public final class MetricsRegistry: Sendable {
  /// A counter only rises; a gauge goes up and down.
  public enum Kind: String, Sendable { case counter, gauge }

  private struct Family: Sendable {
    let name: String
    let help: String
    let kind: Kind
    let samples: @Sendable () async -> [MetricSample]

    func asked() async -> MetricFamily {
      MetricFamily(name: name, help: help, kind: kind, samples: await samples())
    }
  }

  private struct State: Sendable {
    var families: [Family] = []
    var sources: [@Sendable () async -> [MetricFamily]] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// Adds a family of samples; one of the same name is replaced.
  public func register(
    _ name: String, help: String, kind: Kind,
    samples: @escaping @Sendable () async -> [MetricSample]
  ) {
    state.withLock { state in
      state.families.removeAll { $0.name == name }
      state.families.append(Family(name: name, help: help, kind: kind, samples: samples))
    }
  }

  /// Adds a system that says all it has at once, which families these are included.
  public func register(families: @escaping @Sendable () async -> [MetricFamily]) {
    state.withLock { $0.sources.append(families) }
  }

  /// The text for one scrape, families sorted by name.
  public func text() async -> String {
    var result = ""
    let state = state.withLock { $0 }
    var families: [MetricFamily] = []
    for family in state.families { families.append(await family.asked()) }
    for source in state.sources { families += await source() }
    for family in families.sorted(by: { $0.name < $1.name }) {
      result += "# HELP \(family.name) \(Self.escape(family.help, quotes: false))\n"
      result += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value, quotes: true))\"" }
        result += family.name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
        result += " \(sample.text)\n"
      }
    }
    return result
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.append(character)
      }
    }
    return result
  }
}

/// Numbers of one name.
public struct MetricFamily: Sendable {
  public let name: String
  public let help: String
  public let kind: MetricsRegistry.Kind
  public var samples: [MetricSample]

  public init(
    name: String, help: String, kind: MetricsRegistry.Kind, samples: [MetricSample] = []
  ) {
    self.name = name
    self.help = help
    self.kind = kind
    self.samples = samples
  }
}

/// One number of a family, with the labels that tell it from its siblings.
public struct MetricSample: Sendable {
  public struct Label: Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public let labels: [Label]
  public let value: Double

  public init(_ labels: [Label] = [], value: Double) {
    self.labels = labels
    self.value = value
  }

  fileprivate var text: String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && abs(value) < 9e15 ? String(Int64(value)) : "\(value)"
  }
}
