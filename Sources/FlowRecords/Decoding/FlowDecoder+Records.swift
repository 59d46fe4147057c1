import NetworkTypes

extension FlowDecoder {
  /// Decodes the records of a data set, and gives back how many there were.
  func decodeFlows(
    _ set: RawSpan, _ plan: DecodingPlan, _ state: ExporterState, _ original: SetContext,
    received: Int64
  ) -> Int {
    guard plan.shortestRecord > 0 else {
      state.statistics.faults.add(.malformedRecord)
      return 0
    }
    guard plan.isFlow else { return skipRecords(set, plan, state) }
    var context = original
    if !context.hasUptime { adoptUptime(set, plan, state, &context) }
    guard let length = plan.recordLength else {
      return decodeVariable(set, plan, state, context, received: received)
    }
    let total = set.byteCount / length
    var done = 0
    while done < total {
      let isWide = plan.family == .ipv6 || plan.family == .mixed
      let (batch, exporter) = openBatch(wide: isWide, state.key.exporter)
      let rows = min(total - done, batch.room)
      guard let first = batch.extend(by: rows) else { return done }
      let part = set.extracting(done * length..<(done + rows) * length)
      run(
        plan, places: plan.places, part, stride: length, rows: rows, first: first, into: batch,
        exporter, state, context, received: received)
      done += rows
      if batch.isFull { if isWide { handOverWide() } else { handOverNarrow() } }
    }
    return total
  }

  /// Records whose fields state their own lengths, one by one.
  private func decodeVariable(
    _ set: RawSpan, _ plan: DecodingPlan, _ state: ExporterState, _ context: SetContext,
    received: Int64
  ) -> Int {
    var at = 0
    var total = 0
    while set.byteCount - at >= plan.shortestRecord {
      guard let length = placeFields(set, at: at, plan) else {
        state.statistics.faults.add(.malformedRecord)
        return total
      }
      let isWide = plan.family == .ipv6 || plan.family == .mixed
      let (batch, exporter) = openBatch(wide: isWide, state.key.exporter)
      guard let first = batch.extend(by: 1) else { return total }
      run(
        plan, places: scratch, set.extracting(at..<at + length), stride: length, rows: 1,
        first: first, into: batch, exporter, state, context, received: received)
      if batch.isFull { if isWide { handOverWide() } else { handOverNarrow() } }
      at += length
      total += 1
    }
    return total
  }

  /// Finds the fields of the record at `at`, relative to it, and gives back its length; nil when it
  /// is longer than the set.
  func placeFields(_ set: RawSpan, at start: Int, _ plan: DecodingPlan) -> Int? {
    scratch.removeAll(keepingCapacity: true)
    let end = set.byteCount
    var at = start
    for field in plan.template.fields {
      var length = Int(field.length)
      if field.length == TemplateField.variableLength {
        // RFC 7011 §7: one octet, or 255 and two octets.
        guard at < end else { return nil }
        length = Int(set.u8(at))
        at += 1
        if length == 255 {
          guard end - at >= 2 else { return nil }
          length = Int(set.u16(at))
          at += 2
        }
      }
      guard end - at >= length else { return nil }
      scratch.append(FieldPlace(offset: at - start, length: length))
      at += length
    }
    return at - start
  }

  private func skipRecords(_ set: RawSpan, _ plan: DecodingPlan, _ state: ExporterState) -> Int {
    var total = 0
    if let length = plan.recordLength {
      total = set.byteCount / length
    } else {
      var at = 0
      while set.byteCount - at >= plan.shortestRecord,
        let length = placeFields(set, at: at, plan)
      {
        at += length
        total += 1
      }
    }
    state.statistics.otherRecords &+= UInt64(total)
    return total
  }

  /// Runs a plan for `rows` records, and adds what they do not say themselves.
  private func run(
    _ plan: DecodingPlan, places: [FieldPlace], _ records: RawSpan, stride: Int, rows: Int,
    first: Int, into batch: FlowBatch, _ exporter: UInt16, _ state: ExporterState,
    _ context: SetContext, received: Int64
  ) {
    records.withUnsafeBytes { source in
      for step in plan.steps {
        batch.fill(
          step, at: places[step.field], from: source, stride: stride, rows: rows, first: first,
          isMixed: plan.isMixed, context)
      }
    }
    batch.fill(.exporter, first: first, rows: rows, with: UInt64(exporter))
    completeTimes(plan, places, records, stride, rows, first, batch, context)
    completeSampling(plan, places, records, stride, rows, first, batch, state)
    if plan.hasICMP { completeICMP(rows, first, batch) }
    if parameters.keepsReceivedTime {
      batch.fill(.received, first: first, rows: rows, with: UInt64(bitPattern: received))
    }
    state.statistics.flows &+= UInt64(rows)
  }

  /// A missing time is the other one, or that and the duration, or the export time.
  private func completeTimes(
    _ plan: DecodingPlan, _ places: [FieldPlace], _ records: RawSpan, _ stride: Int, _ rows: Int,
    _ first: Int, _ batch: FlowBatch, _ context: SetContext
  ) {
    if plan.hasStart, plan.hasEnd { return }
    if !plan.hasStart, !plan.hasEnd {
      let export = UInt64(bitPattern: context.exportTime)
      batch.fill(.start, first: first, rows: rows, with: export)
      batch.fill(.end, first: first, rows: rows, with: export)
    }
    for row in 0..<rows {
      var duration: Int64 = 0
      if let field = plan.durationField, places[field.field].length > 0 {
        let place = places[field.field]
        let value = records.number(row * stride + place.offset, length: place.length)
        duration = Int64(truncatingIfNeeded: value & 0xffff_ffff) &* field.nanosecondsPerUnit
      }
      if plan.hasStart {
        let start = Int64(bitPattern: batch.number(.start, row: first + row))
        batch.set(.end, row: first + row, to: UInt64(bitPattern: start &+ duration))
      } else {
        let end = Int64(bitPattern: batch.number(.end, row: first + row))
        batch.set(.start, row: first + row, to: UInt64(bitPattern: end &- duration))
      }
    }
  }

  /// The rate of each record: its own, its sampler's, its interface's, or that of the exporter.
  private func completeSampling(
    _ plan: DecodingPlan, _ places: [FieldPlace], _ records: RawSpan, _ stride: Int, _ rows: Int,
    _ first: Int, _ batch: FlowBatch, _ state: ExporterState
  ) {
    let overridden = state.configured?.overrides == true
    let isPerRecord =
      !overridden
      && (plan.hasSamplingRate || plan.samplingPair != nil
        || plan.samplerField != nil && !state.samplers.isEmpty || !state.interfaceRates.isEmpty)
    guard isPerRecord else {
      let sampling = state.rate(sampler: plan.samplerField == nil ? nil : 0)
      state.statistics.sampling = sampling
      batch.fill(.samplingRate, first: first, rows: rows, with: UInt64(sampling.rate))
      batch.fill(
        .samplingSource, first: first, rows: rows, with: UInt64(sampling.source.rawValue))
      return
    }
    func field(_ index: Int?, _ row: Int) -> UInt64? {
      guard let index, places[index].length > 0 else { return nil }
      return records.number(row * stride + places[index].offset, length: places[index].length)
    }
    for row in 0..<rows {
      var sampling = SamplingRate.unknown
      if plan.hasSamplingRate {
        let rate = UInt32(truncatingIfNeeded: batch.number(.samplingRate, row: first + row))
        if rate > 0 { sampling = SamplingRate(rate: rate, source: .record) }
      } else if let pair = plan.samplingPair, let interval = field(pair.interval, row),
        let space = field(pair.space, row), interval > 0
      {
        sampling = SamplingRate(
          rate: Self.rate(size: interval, population: interval &+ space), source: .record)
      }
      if sampling.rate == 0 {
        let interface = UInt32(truncatingIfNeeded: batch.number(.inputInterface, row: first + row))
        sampling = state.rate(sampler: field(plan.samplerField, row), interface: interface)
      }
      batch.set(.samplingRate, row: first + row, to: UInt64(sampling.rate))
      batch.set(.samplingSource, row: first + row, to: UInt64(sampling.source.rawValue))
      state.statistics.sampling = sampling
    }
  }

  /// `size` packets of `population` were looked at: rounded, at least 1; 0 for what makes no sense.
  static func rate(size: UInt64, population: UInt64) -> UInt32 {
    guard size > 0, population >= size else { return 0 }
    let (sum, overflow) = population.addingReportingOverflow(size / 2)
    return overflow ? .max : UInt32(clamping: sum / size)
  }

  /// NetFlow keeps an ICMP type and code in the destination port (type · 256 + code); records that
  /// have fields for them get it as well, so that one search finds both.
  private func completeICMP(_ rows: Int, _ first: Int, _ batch: FlowBatch) {
    for row in first..<first + rows {
      let transport = batch.number(.transport, row: row)
      guard transport == 1 || transport == 58 else { continue }
      let type = batch.number(.icmpType, row: row)
      let code = batch.number(.icmpCode, row: row)
      if type | code != 0, batch.number(.destinationPort, row: row) == 0 {
        batch.set(.destinationPort, row: row, to: type << 8 | code)
      }
    }
  }

  /// IPFIX may count times in milliseconds since the exporter started: when that was is said by the
  /// record, by options data, or by nobody. In the last case the first flow ended as it was exported.
  private func adoptUptime(
    _ set: RawSpan, _ plan: DecodingPlan, _ state: ExporterState, _ context: inout SetContext
  ) {
    guard plan.recordLength != nil, set.byteCount >= plan.shortestRecord else { return }
    var systemStart = state.systemStart
    if let field = plan.systemStartField {
      let place = plan.places[field]
      systemStart = set.number(place.offset, length: place.length)
    }
    if let systemStart {
      let milliseconds = UInt64(bitPattern: context.exportTime / 1_000_000)
      context.uptime = UInt32(truncatingIfNeeded: milliseconds &- systemStart)
    } else if let field = plan.uptimeField {
      let place = plan.places[field]
      context.uptime = UInt32(
        truncatingIfNeeded: set.number(place.offset, length: place.length))
    }
  }
}
