import NetworkTypes
import Sketches

/// What rates are kept of: a host, a block of hosts, or a protected prefix.
struct Entity {
  enum Kind: UInt8 { case host, block, network }

  var bits: UInt128 = 0
  /// In the 128 bits of the mapped form.
  var length: UInt8 = 0
  var kind = Kind.host
  var isInUse = false
  /// The protected prefix, as its place in the configuration; -1 for none.
  var network: Int32 = -1
  /// The ongoing attack on it; -1 for none.
  var attack: Int32 = -1
  var lastSlot = Int64.min
  /// Until when it is not looked at again, since what it has is explained by another attack.
  var quietUntil = Int64.min

  var address: IPAddress { IPAddress(bits: bits) }

  var prefix: IPPrefix {
    let address = address
    let length = address.isIPv4 ? Int(length) - 96 : Int(length)
    return IPPrefix(address, length: max(0, length)) ?? IPPrefix(address)
  }
}

/// Entities by address and length, in a bounded open-addressing table.
struct EntityTable {
  private(set) var entities: [Entity] = []
  /// Meters of each entity by class; -1 for none.
  private var meters: [Int32] = []
  private var index: [Int32]
  private let mask: Int
  private let capacity: Int
  private var free: [Int32] = []
  private var hand = 0
  /// Entities dropped since the table was full, while they were idle or not.
  private(set) var droppedIdle: UInt64 = 0
  private(set) var droppedActive: UInt64 = 0

  private static let scanned = 64

  init(capacity: Int) {
    self.capacity = max(64, capacity)
    var size = 256
    while size < self.capacity * 2 { size *= 2 }
    index = Array(repeating: -1, count: size)
    mask = size - 1
  }

  var count: Int { entities.count - free.count }

  subscript(_ number: Int32) -> Entity {
    get { entities[Int(number)] }
    set { entities[Int(number)] = newValue }
  }

  func meter(_ number: Int32, _ kind: TrafficKind) -> Int32 {
    meters[Int(number) &* TrafficKind.count &+ Int(kind.rawValue)]
  }

  mutating func setMeter(_ number: Int32, _ kind: TrafficKind, _ meter: Int32) {
    meters[Int(number) &* TrafficKind.count &+ Int(kind.rawValue)] = meter
  }

  mutating func touch(_ number: Int32, _ slot: Int64) {
    if entities[Int(number)].lastSlot < slot { entities[Int(number)].lastSlot = slot }
  }

  @inline(__always)
  private func place(_ bits: UInt128, _ length: UInt8) -> Int {
    let hash = mix64(
      UInt64(truncatingIfNeeded: bits >> 64),
      UInt64(truncatingIfNeeded: bits) ^ UInt64(length) << 56)
    return Int(truncatingIfNeeded: hash) & mask
  }

  func find(_ bits: UInt128, _ length: UInt8) -> Int32? {
    var place = place(bits, length)
    while index[place] >= 0 {
      let number = index[place]
      if entities[Int(number)].bits == bits, entities[Int(number)].length == length {
        return number
      }
      place = (place &+ 1) & mask
    }
    return nil
  }

  /// Enters one that is not there yet. When the table is full, `drop` is told of the one that goes;
  /// nil where none may go.
  mutating func insert(_ entity: Entity, now: Int64, idleSlots: Int64) -> (
    number: Int32, dropped: [Int32]
  )? {
    var dropped: [Int32] = []
    let number: Int32
    if let again = free.popLast() {
      number = again
    } else if entities.count < capacity {
      number = Int32(entities.count)
      entities.append(Entity())
      meters.append(contentsOf: repeatElement(-1, count: TrafficKind.count))
    } else {
      guard let victim = victim(now: now, idleSlots: idleSlots) else { return nil }
      dropped = remove(victim)
      number = victim
      _ = free.popLast()
    }
    entities[Int(number)] = entity
    entities[Int(number)].isInUse = true
    for kind in 0..<TrafficKind.count { meters[Int(number) * TrafficKind.count + kind] = -1 }
    var place = place(entity.bits, entity.length)
    while index[place] >= 0 { place = (place &+ 1) & mask }
    index[place] = number
    return (number, dropped)
  }

  /// One of the next that may go: the first that is idle, or the one that was quiet for longest.
  private mutating func victim(now: Int64, idleSlots: Int64) -> Int32? {
    var best: Int32?
    var bestSlot = Int64.max
    var looked = 0
    while looked < Self.scanned {
      hand = (hand + 1) % entities.count
      looked += 1
      let entity = entities[hand]
      guard entity.isInUse, entity.kind != .network, entity.attack < 0 else { continue }
      if entity.lastSlot < bestSlot {
        best = Int32(hand)
        bestSlot = entity.lastSlot
      }
      if entity.lastSlot < now &- idleSlots { break }
    }
    guard let best else { return nil }
    if bestSlot < now &- idleSlots { droppedIdle &+= 1 } else { droppedActive &+= 1 }
    return best
  }

  /// Takes one out, and gives back its meters.
  private mutating func remove(_ number: Int32) -> [Int32] {
    let entity = entities[Int(number)]
    var hole = place(entity.bits, entity.length)
    while index[hole] != number { hole = (hole &+ 1) & mask }
    // What follows in the run moves up, as long as its own place allows (Knuth 6.4, algorithm R).
    var next = (hole &+ 1) & mask
    while index[next] >= 0 {
      let other = entities[Int(index[next])]
      let home = place(other.bits, other.length)
      if (next &- home) & mask >= (next &- hole) & mask {
        index[hole] = index[next]
        hole = next
      }
      next = (next &+ 1) & mask
    }
    index[hole] = -1
    entities[Int(number)].isInUse = false
    free.append(number)
    let start = Int(number) * TrafficKind.count
    return meters[start..<start + TrafficKind.count].filter { $0 >= 0 }
  }
}
