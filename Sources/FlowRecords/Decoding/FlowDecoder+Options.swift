import NetworkTypes

extension FlowDecoder {
  /// Reads the records of an options template, and gives back how many there were.
  func decodeOptions(_ set: RawSpan, _ plan: DecodingPlan, _ state: ExporterState) -> Int {
    guard plan.shortestRecord > 0 else { return 0 }
    var at = 0
    var total = 0
    while set.byteCount - at >= plan.shortestRecord {
      guard let length = placeFields(set, at: at, plan) else {
        state.statistics.faults.add(.malformedRecord)
        break
      }
      adopt(OptionsRecord(set, at: at, places: scratch, plan.template), state)
      at += length
      total += 1
    }
    state.statistics.optionsRecords &+= UInt64(total)
    return total
  }

  private func adopt(_ record: OptionsRecord, _ state: ExporterState) {
    if let start = record.systemStart, start > 0 { state.systemStart = start }
    // An interval of 0 is a sampler that is switched off or not known yet; it scales nothing.
    guard let rate = record.rate, rate > 0 else { return }
    if let sampler = record.sampler {
      guard
        state.samplers[sampler] != nil || state.samplers.count < parameters.largestSamplerCount
      else { return }
      state.samplers[sampler] = rate
    } else if let interface = record.interface {
      guard
        state.interfaceRates[interface] != nil
          || state.interfaceRates.count < parameters.largestSamplerCount
      else { return }
      state.interfaceRates[interface] = rate
    } else {
      state.domainRate = rate
    }
  }
}

/// What an options record says that matters for flows: how packets were sampled (RFC 5477 §8, RFC
/// 3954 §8), and when the exporter started.
struct OptionsRecord {
  private(set) var sampler: UInt64?
  private(set) var interface: UInt32?
  private(set) var rate: UInt32?
  private(set) var systemStart: UInt64?

  init(_ set: RawSpan, at start: Int, places: [FieldPlace], _ template: Template) {
    var interval: UInt64?
    var space: UInt64?
    var size: UInt64?
    var population: UInt64?
    for (index, field) in template.fields.enumerated() {
      let place = places[index]
      guard place.length > 0 else { continue }
      func number() -> UInt64 { set.number(start + place.offset, length: place.length) }
      switch (field.enterprise, field.element) {
      case (0, 48), (0, 302): sampler = number()
      case (0, 34), (0, 50): rate = UInt32(clamping: number())
      case (0, 305): interval = number()
      case (0, 306): space = number()
      case (0, 309): size = number()
      case (0, 310): population = number()
      case (0, 311): rate = Self.rate(probability: number(), octets: place.length) ?? rate
      case (0, 160): systemStart = number()
      case (0, 10) where index < template.scopeCount,
        (TemplateField.netflow9Scope, 2):
        interface = UInt32(truncatingIfNeeded: number())
      default: break
      }
    }
    if let interval, interval > 0 {
      // Huawei and others give 305 alone, as "one of so many".
      rate =
        space.map { FlowDecoder.rate(size: interval, population: interval &+ $0) }
        ?? UInt32(clamping: interval)
    } else if let size, let population {
      rate = FlowDecoder.rate(size: size, population: population)
    }
  }

  /// One of how many packets a probability is (element 311, a floating-point number).
  private static func rate(probability bits: UInt64, octets: Int) -> UInt32? {
    let probability =
      octets == 8
      ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    guard probability > 0, probability <= 1 else { return nil }
    return UInt32(clamping: Int64(min((1 / probability).rounded(), 4_294_967_295)))
  }
}
