import NetworkTypes

/// What the values of a set depend on besides its octets.
struct SetContext {
  /// When the exporter sent the datagram, Unix nanoseconds.
  var exportTime: Int64
  /// Milliseconds since the exporter started, at ``exportTime``.
  var uptime: UInt32
  /// Whether ``uptime`` is known.
  var hasUptime: Bool
}

// Reaches datagrams and columns through pointers. Everything here reads `rows` records of `stride`
// octets from `source`, each field within its record, and writes rows `first..<first + rows` of the
// batch: `fill` checks both, and its callers' slices are checked by RawSpan.
extension FlowBatch {
  /// Runs one step for many records that lie one after another, column by column.
  func fill(
    _ step: FieldStep, at place: FieldPlace, from source: UnsafeRawBufferPointer, stride: Int,
    rows: Int, first: Int, isMixed: Bool, _ context: SetContext
  ) {
    let length = step.length == 0 ? place.length : step.length
    let offset = place.offset + step.skip
    guard rows > 0, length > 0, let base = source.baseAddress else { return }
    precondition(
      offset >= 0 && stride >= offset + length
        && (rows - 1) * stride + offset + length
          <= source.count
        && first >= 0 && first + rows <= count, "records and rows that exist")
    let from = base + offset
    let into = pointer(to: step.column)
    switch step.kind {
    case .number:
      numbers(step.column.width, into, first, from, length, stride, rows)
    case .flags:
      let column = into.assumingMemoryBound(to: UInt8.self) + first
      for row in 0..<rows { column[row] |= (from + row &* stride + (length - 1)).loadByte() }
    case .label:
      let column = into.assumingMemoryBound(to: UInt32.self) + first
      for row in 0..<rows {
        let at = from + row &* stride
        column[row] =
          UInt32(at.loadByte()) << 12 | UInt32((at + 1).loadByte()) << 4
          | UInt32((at + 2).loadByte()) >> 4
      }
    case .address4: addresses4(into, first, from, stride, rows, isMixed)
    case .address6: addresses6(into, first, from, stride, rows, isMixed)
    case .uptime, .seconds, .milliseconds, .ntpTime, .microsecondsBefore:
      times(
        step.kind, into.assumingMemoryBound(to: Int64.self) + first, from, stride, rows, context)
    }
  }

  /// Fills rows of a column with one number; nothing for zero in an absent column.
  func fill(_ column: FlowColumn, first: Int, rows: Int, with value: UInt64) {
    if value == 0, !has(column) { return }
    precondition(first >= 0 && first + rows <= count && rows >= 0, "rows that exist")
    let into = pointer(to: column)
    switch column.width {
    case 1:
      (into.assumingMemoryBound(to: UInt8.self) + first)
        .update(repeating: UInt8(truncatingIfNeeded: value), count: rows)
    case 2:
      (into.assumingMemoryBound(to: UInt16.self) + first)
        .update(repeating: UInt16(truncatingIfNeeded: value), count: rows)
    case 4:
      (into.assumingMemoryBound(to: UInt32.self) + first)
        .update(repeating: UInt32(truncatingIfNeeded: value), count: rows)
    default:
      (into.assumingMemoryBound(to: UInt64.self) + first).update(repeating: value, count: rows)
    }
  }

  @inline(__always)
  private func numbers(
    _ width: Int, _ into: UnsafeMutableRawPointer, _ first: Int, _ from: UnsafeRawPointer,
    _ length: Int, _ stride: Int, _ rows: Int
  ) {
    switch width {
    case 1: numbers(into.assumingMemoryBound(to: UInt8.self) + first, from, length, stride, rows)
    case 2: numbers(into.assumingMemoryBound(to: UInt16.self) + first, from, length, stride, rows)
    case 4: numbers(into.assumingMemoryBound(to: UInt32.self) + first, from, length, stride, rows)
    default: numbers(into.assumingMemoryBound(to: UInt64.self) + first, from, length, stride, rows)
    }
  }

  @inline(__always)
  private func numbers<Value: FixedWidthInteger>(
    _ column: UnsafeMutablePointer<Value>, _ from: UnsafeRawPointer, _ length: Int, _ stride: Int,
    _ rows: Int
  ) {
    switch length {
    case 1: copy(UInt8.self, column, from, stride, rows)
    case 2: copy(UInt16.self, column, from, stride, rows)
    case 4: copy(UInt32.self, column, from, stride, rows)
    case 8: copy(UInt64.self, column, from, stride, rows)
    default:
      // Three, five, six, seven octets, or more than eight, of which the last eight are the number.
      for row in 0..<rows {
        var value: UInt64 = 0
        for index in max(length - 8, 0)..<length {
          value = value << 8 | UInt64((from + row &* stride + index).loadByte())
        }
        column[row] = Value(truncatingIfNeeded: value)
      }
    }
  }

  @inline(__always)
  private func copy<Wire: FixedWidthInteger & BitwiseCopyable, Value: FixedWidthInteger>(
    _ wire: Wire.Type, _ column: UnsafeMutablePointer<Value>, _ from: UnsafeRawPointer,
    _ stride: Int, _ rows: Int
  ) {
    var at = from
    for row in 0..<rows {
      column[row] = Value(truncatingIfNeeded: at.loadUnaligned(as: Wire.self).bigEndian)
      at += stride
    }
  }

  private func addresses4(
    _ into: UnsafeMutableRawPointer, _ first: Int, _ from: UnsafeRawPointer, _ stride: Int,
    _ rows: Int, _ isMixed: Bool
  ) {
    if isIPv4 {
      return copy(
        UInt32.self, into.assumingMemoryBound(to: UInt32.self) + first, from, stride, rows)
    }
    let column = into.assumingMemoryBound(to: UInt128.self) + first
    for row in 0..<rows {
      let value = (from + row &* stride).loadUnaligned(as: UInt32.self).bigEndian
      if value != 0 || !isMixed { column[row] = IPAddress(v4: value).bits }
    }
  }

  private func addresses6(
    _ into: UnsafeMutableRawPointer, _ first: Int, _ from: UnsafeRawPointer, _ stride: Int,
    _ rows: Int, _ isMixed: Bool
  ) {
    precondition(!isIPv4, "a batch with room for 128 bits")
    let column = into.assumingMemoryBound(to: UInt128.self) + first
    for row in 0..<rows {
      let at = from + row &* stride
      let high = at.loadUnaligned(as: UInt64.self).bigEndian
      let low = (at + 8).loadUnaligned(as: UInt64.self).bigEndian
      if high | low != 0 || !isMixed { column[row] = UInt128(high) << 64 | UInt128(low) }
    }
  }

  private func times(
    _ kind: FieldKind, _ column: UnsafeMutablePointer<Int64>, _ from: UnsafeRawPointer,
    _ stride: Int, _ rows: Int, _ context: SetContext
  ) {
    switch kind {
    case .uptime:
      for row in 0..<rows {
        let value = (from + row &* stride).loadUnaligned(as: UInt32.self).bigEndian
        // Signed, so that the wrap after 49 days and a flow ahead of the header come out right.
        let before = Int64(Int32(bitPattern: value &- context.uptime))
        column[row] = context.exportTime &+ before &* 1_000_000
      }
    case .seconds:
      for row in 0..<rows {
        let value = (from + row &* stride).loadUnaligned(as: UInt32.self).bigEndian
        column[row] = Int64(value) &* 1_000_000_000
      }
    case .milliseconds:
      for row in 0..<rows {
        let value = (from + row &* stride).loadUnaligned(as: UInt64.self).bigEndian
        column[row] = value > 9_223_372_036_854 ? .max : Int64(value) &* 1_000_000
      }
    case .ntpTime:
      for row in 0..<rows {
        let value = (from + row &* stride).loadUnaligned(as: UInt64.self).bigEndian
        // 2,208,988,800 seconds from 1900 to 1970; rounded, as the fraction rarely hits a nanosecond.
        let seconds = Int64(value >> 32) &- 2_208_988_800
        let fraction = ((value & 0xffff_ffff) &* 1_000_000_000 &+ 0x8000_0000) >> 32
        column[row] = seconds &* 1_000_000_000 &+ Int64(fraction)
      }
    case .microsecondsBefore:
      for row in 0..<rows {
        let value = (from + row &* stride).loadUnaligned(as: UInt32.self).bigEndian
        column[row] = context.exportTime &- Int64(value) &* 1_000
      }
    default: return
    }
  }
}

extension UnsafeRawPointer {
  @inline(__always)
  fileprivate func loadByte() -> UInt8 { load(as: UInt8.self) }
}
