/// An immutable map from prefixes to values in which the longest prefix that holds an address wins.
///
/// Use it wherever an address must find who answers for it, what it is called or which list it is
/// on: it is built once, shared between threads, and looked up at packet rate.
///
/// ```swift
/// let owners = PrefixMap([(IPPrefix("192.0.2.0/24")!, "isp-a"), (IPPrefix("192.0.2.128/25")!, "b")])
/// owners[IPAddress("192.0.2.200")!]   // "b"
/// owners.allMatches(IPAddress("192.0.2.200")!).map(\.value)   // ["b", "isp-a"]
/// ```
///
/// IPv4 and IPv6 are separate spaces: `::/0` holds no IPv4 address.
public struct PrefixMap<Value: Sendable>: Sendable {
  /// The values in the order of their prefixes (IPv4 first, then by address, then by length).
  public let values: [Value]
  @usableFromInline let tree: PrefixTree

  /// Builds the map; of two values for the same prefix the later one wins, and is counted in
  /// ``duplicates``. Takes memory and time in proportion to the entries (a million in about half
  /// a second).
  @inlinable public init(_ entries: some Sequence<(IPPrefix, Value)>) {
    let entries = Array(entries)
    tree = PrefixTree(entries.map(\.0))
    values = tree.order.map { entries[Int($0)].1 }
  }

  /// How many different prefixes the map holds.
  @inlinable public var count: Int { values.count }

  @inlinable public var isEmpty: Bool { values.isEmpty }

  /// How many entries were replaced by a later entry for the same prefix.
  @inlinable public var duplicates: Int { tree.duplicates }

  /// Every prefix with its value, IPv4 first, then by address, then by length.
  public var entries: [(prefix: IPPrefix, value: Value)] {
    values.indices.map { (tree.prefix($0), values[$0]) }
  }

  /// The value of the longest prefix that holds the address.
  @inlinable public subscript(address: IPAddress) -> Value? {
    let number = tree.table.number(address)
    return number == 0 ? nil : values[Int(number &- 1)]
  }

  /// For loops that run per packet: 0 where no prefix holds this IPv4 address (host order), else
  /// one more than the place of its value in ``values``.
  @inlinable public func index(v4: UInt32) -> UInt32 { tree.table.number(v4: v4) }

  /// As ``index(v4:)``, for either family.
  @inlinable public func index(_ address: IPAddress) -> UInt32 { tree.table.number(address) }

  /// The longest prefix that holds the address, and its value.
  public func match(_ address: IPAddress) -> (prefix: IPPrefix, value: Value)? {
    let number = tree.table.number(address)
    guard number > 0 else { return nil }
    return (tree.prefix(Int(number) - 1), values[Int(number) - 1])
  }

  /// Every prefix that holds the address, the most specific first.
  public func allMatches(_ address: IPAddress) -> [(prefix: IPPrefix, value: Value)] {
    var matches: [(prefix: IPPrefix, value: Value)] = []
    var number = tree.table.number(address)
    while number > 0 {
      matches.append((tree.prefix(Int(number) - 1), values[Int(number) - 1]))
      number = tree.parents[Int(number) - 1]
    }
    return matches
  }

  /// The value of exactly this prefix, whatever lies around or inside it.
  public subscript(exactly prefix: IPPrefix) -> Value? {
    // A longer prefix at the same address hides this one from a look-up; its ancestors do not end
    // before this one is met.
    var number = tree.table.number(prefix.address)
    while number > 0 {
      let candidate = tree.prefix(Int(number) - 1)
      if candidate == prefix { return values[Int(number) - 1] }
      if candidate.length < prefix.length { return nil }
      number = tree.parents[Int(number) - 1]
    }
    return nil
  }

  /// The memory that the look-up structure holds, in bytes, without the values.
  public var byteCount: Int { tree.byteCount }
}

/// The part of ``PrefixMap`` that does not depend on the type of its values.
@usableFromInline
struct PrefixTree: Sendable {
  @usableFromInline let table: IPRunTable
  /// For each prefix in order, the place of its entry in the input.
  @usableFromInline let order: [UInt32]
  @usableFromInline let duplicates: Int
  /// For each prefix, one more than the place of the longest prefix around it; 0 for none.
  @usableFromInline let parents: [UInt32]
  private let addresses4: [UInt32]
  private let addresses6: [UInt128]
  private let lengths: [UInt8]

  @usableFromInline init(_ prefixes: [IPPrefix]) {
    precondition(
      prefixes.count < Int(IPRunTable.greatestNumber), "a prefix map holds at most 2^31 prefixes")
    var keys4: [PrefixKey<UInt32>] = []
    var keys6: [PrefixKey<UInt128>] = []
    keys4.reserveCapacity(prefixes.count)
    for (place, prefix) in prefixes.enumerated() {
      let length = UInt8(prefix.length)
      let place = UInt32(place)
      if let v4 = prefix.address.v4 {
        keys4.append(PrefixKey(first: v4, place: place, length: length))
      } else {
        keys6.append(PrefixKey(first: prefix.address.bits, place: place, length: length))
      }
    }
    let four = PrefixSweep(&keys4, numberedFrom: 0)
    let six = PrefixSweep(&keys6, numberedFrom: UInt32(four.kept.count))
    guard
      let table = IPRunTable(
        v4: four.starts, numbers: four.numbers, v6: six.starts, numbers: six.numbers)
    else {
      // The sweep emits each start once and upwards, and numbers stay below the count above.
      preconditionFailure("a sweep over sorted prefixes gives rising run starts")
    }
    self.table = table
    order = four.kept.map(\.place) + six.kept.map(\.place)
    parents = four.parents + six.parents
    addresses4 = four.kept.map(\.first)
    addresses6 = six.kept.map(\.first)
    lengths = four.kept.map(\.length) + six.kept.map(\.length)
    duplicates = prefixes.count - order.count
  }

  func prefix(_ index: Int) -> IPPrefix {
    let address =
      index < addresses4.count
      ? IPAddress(v4: addresses4[index]) : IPAddress(bits: addresses6[index - addresses4.count])
    // The length came out of a prefix of this very address, so it fits its family.
    return IPPrefix(address, length: Int(lengths[index])) ?? IPPrefix(address)
  }

  var byteCount: Int {
    table.byteCount + order.count * 8 + addresses4.count * 4 + addresses6.count * 16 + lengths.count
  }
}

private struct PrefixKey<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  let first: Number
  let place: UInt32
  let length: UInt8

  var last: Number {
    let hostBits = Number.bitWidth - Int(length)
    return hostBits == Number.bitWidth ? .max : first | ((1 << Number(hostBits)) - 1)
  }

  static func precedes(_ left: Self, _ right: Self) -> Bool {
    if left.first != right.first { return left.first < right.first }
    if left.length != right.length { return left.length < right.length }
    return left.place < right.place
  }
}

/// One pass over sorted prefixes that gives disjoint runs, each numbered by its longest prefix.
private struct PrefixSweep<Number: FixedWidthInteger & UnsignedInteger & Sendable> {
  private(set) var starts: [Number] = []
  private(set) var numbers: [UInt32] = []
  private(set) var kept: [PrefixKey<Number>] = []
  private(set) var parents: [UInt32] = []

  init(_ keys: inout [PrefixKey<Number>], numberedFrom base: UInt32) {
    keys.sort(by: PrefixKey.precedes)
    kept.reserveCapacity(keys.count)
    for key in keys {
      if let previous = kept.last, previous.first == key.first, previous.length == key.length {
        kept[kept.count - 1] = key
      } else {
        kept.append(key)
      }
    }
    parents.reserveCapacity(kept.count)
    starts.reserveCapacity(kept.count * 2)
    numbers.reserveCapacity(kept.count * 2)
    var open: [(last: Number, number: UInt32)] = []
    for (place, key) in kept.enumerated() {
      while let innermost = open.last, innermost.last < key.first {
        close(&open, innermost.last)
      }
      let number = base + UInt32(place) + 1
      parents.append(open.last?.number ?? 0)
      emit(key.first, number)
      open.append((key.last, number))
    }
    while let innermost = open.last { close(&open, innermost.last) }
  }

  private mutating func close(_ open: inout [(last: Number, number: UInt32)], _ last: Number) {
    open.removeLast()
    guard last < .max else { return }
    emit(last + 1, open.last?.number ?? 0)
  }

  private mutating func emit(_ start: Number, _ number: UInt32) {
    if starts.last == start {
      numbers[numbers.count - 1] = number
    } else if numbers.last != number {
      starts.append(start)
      numbers.append(number)
    }
  }
}
