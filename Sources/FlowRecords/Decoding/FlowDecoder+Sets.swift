import NetworkTypes

/// What an export protocol's sets are numbered.
struct SetNumbers {
  let templates: UInt16
  let options: UInt16
  let version: FlowProtocol

  static let netflow9 = SetNumbers(templates: 0, options: 1, version: .netflow9)
  static let ipfix = SetNumbers(templates: 2, options: 3, version: .ipfix)
}

/// What came out of a datagram's sets.
struct SetTally {
  var records = 0
  /// How many of them were of options templates.
  var optionsRecords = 0
  /// Whether some could not be counted, because their template is not known.
  var isIncomplete = false
}

extension FlowDecoder {
  /// Goes through the sets behind a header of NetFlow v9 or IPFIX.
  ///
  /// Options come first wherever they stand, because they may say how the flows of the same datagram
  /// were sampled.
  func decodeSets(
    _ datagram: RawSpan, from start: Int, _ numbers: SetNumbers, _ state: ExporterState,
    _ context: SetContext, received: Int64
  ) -> SetTally {
    var tally = SetTally()
    forEachSet(datagram, from: start, state, reportsFaults: false) { id, set in
      guard id == numbers.options else { return }
      learn(set, numbers, isOptions: true, state, received: received)
    }
    if state.hasOptionsTemplates {
      forEachSet(datagram, from: start, state, reportsFaults: false) { id, set in
        guard id >= 256, let plan = plan(id, state, received: received), plan.template.isOptions
        else { return }
        let records = decodeOptions(set, plan, state)
        tally.records += records
        tally.optionsRecords += records
      }
    }
    forEachSet(datagram, from: start, state, reportsFaults: true) { id, set in
      if id == numbers.templates {
        learn(set, numbers, isOptions: false, state, received: received)
      } else if id >= 256 {
        if let plan = plan(id, state, received: received) {
          if !plan.template.isOptions {
            tally.records += decodeFlows(set, plan, state, context, received: received)
          }
        } else {
          tally.isIncomplete = true
          hold(set, id, state, context, received: received)
        }
      }
    }
    return tally
  }

  private func forEachSet(
    _ datagram: RawSpan, from start: Int, _ state: ExporterState, reportsFaults: Bool,
    _ body: (UInt16, RawSpan) -> Void
  ) {
    var at = start
    while datagram.byteCount - at >= 4 {
      let id = datagram.u16(at)
      var length = Int(datagram.u16(at + 2))
      if length < 4 || length > datagram.byteCount - at {
        // Zeros behind the last set are padding that the exporter did not count.
        if reportsFaults, id != 0 || length != 0 { state.statistics.faults.add(.wrongSetLength) }
        guard length >= 4 else { return }
        length = datagram.byteCount - at
      }
      body(id, datagram.extracting(at + 4..<at + length))
      at += length
    }
  }

  /// The plan for a set's records; nil when its template is unknown, or so old that it may have
  /// changed unseen.
  func plan(_ id: UInt16, _ state: ExporterState, received: Int64) -> DecodingPlan? {
    if let last = state.lastTemplate, last.template.id == id, state.templateIsFresh(received) {
      return last
    }
    guard let known = state.templates[id] else { return nil }
    let lifetime = Self.nanoseconds(parameters.templateLifetimeSeconds)
    // TCP sessions keep their templates until they end (RFC 7011 §8).
    if state.key.session == 0, received &- known.announced > lifetime {
      state.templates[id] = nil
      state.lastTemplate = nil
      state.statistics.expiredTemplates &+= 1
      return nil
    }
    state.lastTemplate = known.plan
    state.lastTemplateEnd =
      state.key.session == 0 ? Self.sum(known.announced, lifetime) : .max
    return known.plan
  }

  static func sum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Learns the templates of a template set (RFC 7011 §3.4.1, §3.4.2; RFC 3954 §5.2, §6.1).
  func learn(
    _ set: RawSpan, _ numbers: SetNumbers, isOptions: Bool, _ state: ExporterState, received: Int64
  ) {
    var at = 0
    while set.byteCount - at >= 4 {
      switch TemplateReader.read(
        set, at: &at, version: numbers.version, isOptions: isOptions,
        largestFieldCount: parameters.largestFieldCount)
      {
      case .template(let template): learn(template, state, received: received)
      case .withdrawal(let id):
        withdraw(id, isAll: id == numbers.templates || id == numbers.options, isOptions, state)
      case .padding: return
      case .malformed:
        state.statistics.faults.add(.malformedTemplate)
        return
      }
    }
  }

  private func learn(_ template: Template, _ state: ExporterState, received: Int64) {
    if let known = state.templates[template.id] {
      if known.plan.template == template {
        state.templates[template.id]?.announced = received
        state.lastTemplate = nil
        return
      }
      state.statistics.redefinitions &+= 1
    } else if state.templates.count >= parameters.largestTemplateCount {
      state.statistics.faults.add(.tooManyTemplates)
      return
    }
    state.templates[template.id] = KnownTemplate(
      plan: DecodingPlan(template), announced: received)
    state.lastTemplate = nil
    if template.isOptions { state.hasOptionsTemplates = true }
    release(template.id, state)
  }

  private func withdraw(_ id: UInt16, isAll: Bool, _ isOptions: Bool, _ state: ExporterState) {
    state.lastTemplate = nil
    if isAll {
      state.templates = state.templates.filter { $0.value.plan.template.isOptions != isOptions }
    } else {
      state.templates[id] = nil
    }
  }

  /// Keeps a set until its template comes.
  private func hold(
    _ set: RawSpan, _ id: UInt16, _ state: ExporterState, _ context: SetContext, received: Int64
  ) {
    let octets = set.byteCount
    dropHeld(state, before: received &- Self.nanoseconds(parameters.heldSeconds))
    guard octets <= parameters.heldOctetsPerExporter else {
      state.statistics.faults.add(.unknownTemplate)
      return
    }
    while state.heldOctets + octets > parameters.heldOctetsPerExporter, !state.held.isEmpty {
      dropOldest(state)
    }
    guard heldOctets + octets <= parameters.heldOctets else {
      state.statistics.faults.add(.unknownTemplate)
      return
    }
    let copy = set.withUnsafeBytes { Array($0) }
    state.held.append(
      HeldSet(template: id, octets: copy, context: context, received: received))
    state.heldOctets += octets
    heldOctets += octets
  }

  /// Decodes what was held back for a template that has come.
  private func release(_ id: UInt16, _ state: ExporterState) {
    guard state.held.contains(where: { $0.template == id }),
      let known = state.templates[id]
    else { return }
    let ready = state.held.filter { $0.template == id }
    state.held.removeAll { $0.template == id }
    for set in ready {
      state.heldOctets -= set.octets.count
      heldOctets -= set.octets.count
      state.statistics.heldSets &+= 1
      let octets = set.octets.span.bytes
      if known.plan.template.isOptions {
        _ = decodeOptions(octets, known.plan, state)
      } else {
        _ = decodeFlows(octets, known.plan, state, set.context, received: set.received)
      }
    }
  }

  private func dropOldest(_ state: ExporterState) {
    let set = state.held.removeFirst()
    state.heldOctets -= set.octets.count
    heldOctets -= set.octets.count
    state.statistics.faults.add(.unknownTemplate)
  }

  /// Gives up sets that were received before a moment.
  func dropHeld(_ state: ExporterState, before moment: Int64) {
    while let first = state.held.first, first.received < moment { dropOldest(state) }
  }

  /// An exporter that has restarted may number its templates anew.
  func restart(_ state: ExporterState) {
    state.statistics.restarts &+= 1
    state.forgetTemplates()
    state.expectedSequence = nil
    dropHeld(state, before: .max)
  }
}

extension ExporterState {
  @inline(__always)
  func templateIsFresh(_ received: Int64) -> Bool { received <= lastTemplateEnd }
}
