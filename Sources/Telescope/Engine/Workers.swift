import CPrefetch
import Dispatch
import Foundation
import NetworkTypes
import PacketCapture
import Synchronization

/// Packets on their way to the workers, with the first octets of each.
///
/// Filled in place by the decoding thread, then read by all workers, each of which picks the packets of
/// its own partitions. ``BatchRing`` orders the accesses.
struct ObservationBatch: ~Copyable {
  static let capacity = 1_024

  private let observations: UnsafeMutablePointer<Observation>
  private let octets: UnsafeMutableRawPointer
  /// The partition of each packet, by itself: a worker looks at all of them.
  private let partitions: UnsafeMutablePointer<UInt8>
  let sampleLength: Int
  private(set) var count = 0
  var command = Command.observe

  enum Command {
    case observe
    case tick(now: Int64)
    case settle
    case stop
  }

  init(sampleLength: Int) {
    self.sampleLength = sampleLength
    observations = .allocate(capacity: Self.capacity)
    observations.initialize(repeating: Observation(), count: Self.capacity)
    octets = .allocate(byteCount: Self.capacity * sampleLength, alignment: 64)
    partitions = .allocate(capacity: Self.capacity)
    partitions.initialize(repeating: 0, count: Self.capacity)
  }

  deinit {
    observations.deallocate()
    octets.deallocate()
    partitions.deallocate()
  }

  var isFull: Bool { count == Self.capacity }

  /// The packet that is being decoded; below the capacity, as a full batch is sent at once.
  @inline(__always)
  var open: UnsafeMutablePointer<Observation> { observations + count }

  /// Takes the open packet in for good.
  @inline(__always)
  mutating func append(partition: UInt8, _ bytes: RawSpan) {
    let length = min(sampleLength, bytes.byteCount)
    bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      (octets + count &* sampleLength).copyMemory(from: start, byteCount: length)
    }
    observations[count].sampleLength = UInt8(truncatingIfNeeded: length)
    partitions[count] = partition
    count &+= 1
    prefetch(count &+ 4)
  }

  /// Asks for the memory of an observation, which another core has used last. The number may lie
  /// behind the batch's end.
  @inline(__always)
  func prefetch(_ index: Int) {
    let observation = UnsafeRawPointer(observations + index)
    noroshi_prefetch(observation)
    noroshi_prefetch(observation + 64)
    noroshi_prefetch(observation + 128)
    let sample = octets + index &* sampleLength
    noroshi_prefetch(sample)
    noroshi_prefetch(sample + 64)
  }

  mutating func clear() { count = 0 }

  @inline(__always)
  func observation(_ index: Int) -> UnsafePointer<Observation> {
    UnsafePointer(observations + index)
  }

  @inline(__always)
  func partition(_ index: Int) -> Int { Int(partitions[index]) }

  @inline(__always)
  func sample(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: octets + index &* sampleLength, count: Int(observations[index].sampleLength))
  }
}

/// The batches that go round between the decoding thread and the workers.
///
/// `@unchecked Sendable`: a batch belongs to the decoding thread from the moment when the last worker
/// has done with it until it is sent, and is only read in between.
final class BatchRing: @unchecked Sendable {
  static let size = 4

  private let batches: UnsafeMutablePointer<ObservationBatch>
  private let pending: UnsafeMutablePointer<Atomic<Int>>
  private let empty = DispatchSemaphore(value: BatchRing.size)
  private var workers: [Worker] = []
  private var writing = 0
  private var isOpen = false

  init(partitions: PartitionSet, threads: Int, sampleLength: Int) {
    batches = .allocate(capacity: Self.size)
    pending = .allocate(capacity: Self.size)
    for index in 0..<Self.size {
      (batches + index).initialize(to: ObservationBatch(sampleLength: sampleLength))
      (pending + index).initialize(to: Atomic(0))
    }
    workers = (0..<threads).map {
      Worker(partitions: partitions, ring: self, number: $0, of: threads)
    }
  }

  deinit {
    batches.deinitialize(count: Self.size)
    batches.deallocate()
    pending.deinitialize(count: Self.size)
    pending.deallocate()
  }

  // MARK: The decoding thread's side

  /// The batch that is being filled, after waiting for one to come free.
  @inline(__always)
  func filling() -> UnsafeMutablePointer<ObservationBatch> {
    if !isOpen { openNext() }
    return batches + writing
  }

  @inline(never)
  private func openNext() {
    empty.wait()
    batches[writing].clear()
    isOpen = true
  }

  func send(_ command: ObservationBatch.Command) {
    if !isOpen { openNext() }
    batches[writing].command = command
    pending[writing].store(workers.count, ordering: .releasing)
    isOpen = false
    writing = (writing + 1) % Self.size
    for worker in workers { worker.filled.signal() }
  }

  /// Sends what has come so far, if anything.
  private func flush() {
    if isOpen { send(.observe) }
  }

  /// Observes what has come, then closes the bin.
  func tick(now: Int64) {
    flush()
    send(.tick(now: now))
  }

  /// Returns when the workers have nothing left to do.
  func drain() {
    flush()
    for _ in 0..<Self.size { empty.wait() }
    for _ in 0..<Self.size { empty.signal() }
  }

  /// Brings what partitions tell of their sources up to date, and returns when that is done.
  func settle() {
    flush()
    send(.settle)
    drain()
  }

  func stop() {
    flush()
    send(.stop)
  }

  // MARK: The workers' side

  func batch(_ index: Int) -> UnsafeMutablePointer<ObservationBatch> { batches + index }

  func finish(_ index: Int) {
    if pending[index].subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { empty.signal() }
  }
}

/// A thread that owns some of the partitions and observes the packets that belong to them.
///
/// `@unchecked Sendable`: the partitions are touched by the thread alone, except between
/// ``BatchRing/drain()`` and the next batch, when it waits for work.
final class Worker: @unchecked Sendable {
  let filled = DispatchSemaphore(value: 0)
  private let partitions: PartitionSet
  private let owned: [Int]
  /// One bit for each partition that is owned.
  private let mask: UInt64

  init(partitions: PartitionSet, ring: BatchRing, number: Int, of count: Int) {
    self.partitions = partitions
    owned = (0..<Partition.count).filter { $0 % count == number }
    mask = owned.reduce(0) { $0 | 1 << UInt64($1) }
    // The ring lives until the workers have been told to stop: see TelescopeEngine's deinit.
    let thread = Thread { [self] in run(ring) }
    thread.name = "telescope"
    thread.stackSize = 1 << 20
    thread.start()
  }

  private func run(_ ring: BatchRing) {
    var own = [UInt16](repeating: 0, count: ObservationBatch.capacity)
    var reading = 0
    while true {
      filled.wait()
      let batch = ring.batch(reading)
      switch batch.pointee.command {
      case .observe: observe(batch.pointee, &own)
      case .tick(let now): for index in owned { partitions[index].tick(now: now) }
      case .settle: for index in owned { partitions[index].settle() }
      case .stop:
        ring.finish(reading)
        return
      }
      ring.finish(reading)
      reading = (reading + 1) % BatchRing.size
    }
  }

  /// Takes a batch in by groups of packets, each of whose memory is asked for in three steps ahead of
  /// its use: where the tables' slots lie follows from the packet, the entries from the slots, the
  /// sketches from the entries. The misses of a group then run side by side.
  private func observe(_ batch: borrowing ObservationBatch, _ own: inout [UInt16]) {
    var count = 0
    for index in 0..<batch.count {
      own[count] = UInt16(truncatingIfNeeded: index)
      count &+= Int(mask &>> UInt64(batch.partition(index)) & 1)
    }
    var places = InlineArray<32, Partition.Place>(repeating: Partition.Place())
    var start = 0
    while start < count {
      let size = min(places.count, count &- start)
      for place in 0..<size {
        if start &+ place &+ 8 < count { batch.prefetch(Int(own[start &+ place &+ 8])) }
        let index = Int(own[start &+ place])
        places[place] = partitions[batch.partition(index)].prefetchSlots(
          batch.observation(index).pointee)
      }
      for place in 0..<size {
        let index = Int(own[start &+ place])
        partitions[batch.partition(index)].prefetchEntries(
          batch.observation(index).pointee, &places[place])
      }
      for place in 0..<size {
        let index = Int(own[start &+ place])
        partitions[batch.partition(index)].prefetchSketches(places[place])
      }
      for place in 0..<size {
        let index = Int(own[start &+ place])
        partitions[batch.partition(index)].observe(
          batch.observation(index).pointee, places[place], sample: batch.sample(index))
      }
      start &+= size
    }
  }
}

/// All partitions, at fixed addresses.
final class PartitionSet: @unchecked Sendable {
  private let partitions: UnsafeMutablePointer<Partition>

  init(rules: PartitionRules) {
    partitions = .allocate(capacity: Partition.count)
    for index in 0..<Partition.count {
      (partitions + index).initialize(to: Partition(rules: rules))
    }
  }

  deinit {
    partitions.deinitialize(count: Partition.count)
    partitions.deallocate()
  }

  subscript(index: Int) -> Partition {
    unsafeAddress {
      precondition(index >= 0 && index < Partition.count)
      return UnsafePointer(partitions + index)
    }
    unsafeMutableAddress {
      precondition(index >= 0 && index < Partition.count)
      return partitions + index
    }
  }
}
