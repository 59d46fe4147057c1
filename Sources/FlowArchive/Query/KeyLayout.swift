import FlowRecords
import NetworkTypes
import Parquet

/// Where the values of a grouping's elements lie in the words of its key.
struct KeyLayout: Sendable {
  struct Place: Sendable {
    let element: FlowElement
    let word: Int
    let shift: Int
    /// 8, 16, 32, 64, or 128 for two words.
    let bits: Int
  }

  let places: [Place]
  let words: Int

  /// - Parameter isNarrow: whether all addresses are IPv4 and take 32 bits.
  init(_ elements: [FlowElement], isNarrow: Bool) {
    var places: [Place] = []
    var word = 0
    var used = 0
    for element in elements {
      let bits = element.bits(isNarrow: isNarrow)
      if used > 0, used + min(bits, 64) > 64 || bits > 64 {
        word += 1
        used = 0
      }
      places.append(Place(element: element, word: word, shift: used, bits: bits))
      used += bits
      if used >= 64 {
        word += used / 64
        used = 0
      }
    }
    self.places = places
    words = max(1, word + (used > 0 ? 1 : 0))
  }

  /// The values of a key.
  func values(_ key: ArraySlice<UInt64>, exporters: [UInt128]) -> [FlowValue] {
    places.map { place in
      let first = key[key.startIndex + place.word]
      let value =
        place.bits >= 64 ? first : first >> UInt64(place.shift) & ((1 << UInt64(place.bits)) - 1)
      switch place.element.source {
      case .exporter:
        return .address(
          IPAddress(bits: Int(value) < exporters.count ? exporters[Int(value)] : 0))
      case .address, .network:
        if place.bits == 32 { return .address(IPAddress(v4: UInt32(truncatingIfNeeded: value))) }
        let low = key[key.startIndex + place.word + 1]
        return .address(IPAddress(high: first, low: low))
      case .number(let column): return column.kind == .mac ? .mac(value) : .number(value)
      case .observationDomain, .interval: return .number(value)
      }
    }
  }
}

/// Fills the rows of a grouping from the columns of a row group.
struct KeyFill {
  private let scan: GroupScan
  private let place: KeyLayout.Place
  private let loaded: GroupScan.Loaded
  private let lengths: GroupScan.Loaded
  private let stride: Int
  /// Of text, the number of each in the query's table.
  private let numbers: [UInt64]

  init(
    _ place: KeyLayout.Place, stride: Int, _ scan: GroupScan, _ mask: RowMask?,
    _ exporters: ExporterNumbers
  ) throws(ArchiveError) {
    self.scan = scan
    self.place = place
    self.stride = stride
    var numbers: [UInt64] = []
    var lengths = GroupScan.Loaded.zero
    switch place.element.source {
    case .number(let column): loaded = try scan.load(column, mask)
    case .address(let column, _, _): loaded = try scan.load(column, mask)
    case .network(let column, let length):
      loaded = try scan.load(column, mask)
      lengths = try scan.load(length, mask)
    case .exporter:
      loaded = try scan.load(.exporter, mask)
      if case .texts(let scratch) = loaded {
        numbers = scratch.texts.map { exporters.number(of: IPAddress($0)?.bits ?? 0) }
      }
    case .observationDomain: loaded = try scan.loadDomain(mask)
    case .interval: loaded = try scan.load(.start, mask)
    }
    self.numbers = numbers
    self.lengths = lengths
  }

  /// Adds the element's bits to rows that were zero before.
  func fill(_ rows: borrowing WordRun<UInt64>, _ indices: [Int32]) {
    var target = place.word
    let shift = UInt64(place.shift)
    switch place.element.source {
    case .exporter:
      guard case .texts(let scratch) = loaded else { return }
      let words = scratch.words32
      for index in indices {
        rows[target] |= numbers[Int(words[Int(index)])] &<< shift
        target &+= stride
      }
    case .network:
      for index in indices {
        fillCut(rows, target, Int(index), Int(clamping: scan.number(lengths, Int(index))))
        target &+= stride
      }
    case .address(let column, let v4Bits, let v6Bits):
      let isWhole = v4Bits == 32 && v6Bits == 128
      switch loaded {
      case .addresses4(let scratch) where place.bits == 32:
        let mask: UInt32 = v4Bits == 0 ? 0 : ~0 << UInt32(32 - v4Bits)
        let words = scratch.words32
        for index in indices {
          rows[target] |= UInt64(words[Int(index)] & mask) &<< shift
          target &+= stride
        }
      default:
        for index in indices {
          let row = Int(index)
          if isWhole, place.bits == 128 {
            let bits = scan.address(column, loaded, row)
            rows[target] = UInt64(truncatingIfNeeded: bits >> 64)
            rows[target &+ 1] = UInt64(truncatingIfNeeded: bits)
          } else {
            let isIPv4 = IPAddress(bits: scan.address(column, loaded, row)).isIPv4
            fillCut(rows, target, row, isIPv4 ? v4Bits : v6Bits)
          }
          target &+= stride
        }
      }
    case .interval(let seconds):
      let length = seconds * 1_000
      for index in indices {
        let start = Int64(bitPattern: scan.number(loaded, Int(index)))
        let interval = start / length - (start % length < 0 ? 1 : 0)
        rows[target] = UInt64(bitPattern: interval &* seconds)
        target &+= stride
      }
    case .number, .observationDomain:
      switch loaded {
      case .zero, .addresses, .texts: return
      case .narrow(let scratch), .addresses4(let scratch):
        let words = scratch.words32
        for index in indices {
          rows[target] |= UInt64(words[Int(index)]) &<< shift
          target &+= stride
        }
      case .wide(let scratch):
        let words = scratch.words64
        for index in indices {
          rows[target] |= words[Int(index)] &<< shift
          target &+= stride
        }
      }
    }
  }

  /// An address with only its first bits.
  private func fillCut(
    _ rows: borrowing WordRun<UInt64>, _ target: Int, _ row: Int, _ length: Int
  ) {
    let column: FlowColumn
    switch place.element.source {
    case .address(let known, _, _), .network(let known, _): column = known
    default: return
    }
    let bits = scan.address(column, loaded, row)
    let address = IPAddress(bits: bits)
    let kept = bits == 0 ? 0 : min(max(0, length), address.bitWidth)
    let hostBits = UInt128(address.bitWidth - kept)
    let cut = bits == 0 || hostBits >= 128 ? 0 : (bits >> hostBits) << hostBits
    if place.bits == 32 {
      rows[target] |= UInt64(UInt32(truncatingIfNeeded: cut)) &<< UInt64(place.shift)
    } else {
      rows[target] = UInt64(truncatingIfNeeded: cut >> 64)
      rows[target &+ 1] = UInt64(truncatingIfNeeded: cut)
    }
  }
}
