import Dispatch
import Foundation
import NetworkTypes
import PacketCapture
import Synchronization

/// Packets on their way to one worker, with the first octets of each.
///
/// Filled by the decoding thread, emptied by the worker; the semaphores of ``Worker`` hand it over, so
/// that one thread at a time touches it.
private struct ObservationBatch: ~Copyable {
  static let capacity = 2_048

  private let observations: UnsafeMutableBufferPointer<Observation>
  private let octets: UnsafeMutableRawBufferPointer
  let sampleLength: Int
  private(set) var count = 0
  var command = Command.observe

  enum Command {
    case observe
    case tick(now: Int64)
    case stop
  }

  init(sampleLength: Int) {
    self.sampleLength = sampleLength
    observations = .allocate(capacity: Self.capacity)
    octets = .allocate(byteCount: Self.capacity * sampleLength, alignment: 16)
  }

  deinit {
    observations.deallocate()
    octets.deallocate()
  }

  var isFull: Bool { count == Self.capacity }

  @inline(__always)
  mutating func append(_ observation: Observation, _ bytes: RawSpan) {
    // `count` is below the capacity: the caller sends a full batch before it appends.
    let length = min(sampleLength, bytes.byteCount)
    bytes.withUnsafeBytes { source in
      (octets.baseAddress! + count &* sampleLength).copyMemory(
        from: source.baseAddress ?? UnsafeRawPointer(octets.baseAddress!), byteCount: length)
    }
    observations[count] = observation
    observations[count].sampleLength = UInt8(truncatingIfNeeded: length)
    count &+= 1
  }

  mutating func clear() { count = 0 }

  subscript(index: Int) -> Observation {
    @inline(__always) get { observations[index] }
  }

  @inline(__always)
  func sample(_ index: Int, length: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: octets.baseAddress! + index &* sampleLength, count: length)
  }
}

/// A thread that owns some of the partitions and observes the packets that belong to them.
///
/// `@unchecked Sendable`: the batches pass between exactly two threads, and the semaphores order their
/// accesses; the partitions are touched by the thread alone, except between ``drain()`` and the next
/// ``append(_:_:)``, when it waits for work.
final class Worker: @unchecked Sendable {
  private static let ringSize = 4

  private let partitions: PartitionSet
  private let owned: [Int]
  private let ring: UnsafeMutablePointer<ObservationBatch>
  private let filled = DispatchSemaphore(value: 0)
  private let empty = DispatchSemaphore(value: Worker.ringSize)
  private var writing = 0
  private var isOpen = false

  init(partitions: PartitionSet, owned: [Int], sampleLength: Int) {
    self.partitions = partitions
    self.owned = owned
    ring = .allocate(capacity: Self.ringSize)
    for index in 0..<Self.ringSize {
      (ring + index).initialize(to: ObservationBatch(sampleLength: sampleLength))
    }
    let thread = Thread { [self] in run() }
    thread.name = "telescope"
    thread.stackSize = 1 << 20
    thread.start()
  }

  deinit {
    ring.deinitialize(count: Self.ringSize)
    ring.deallocate()
  }

  // MARK: The decoding thread's side

  @inline(__always)
  func append(_ observation: Observation, _ bytes: RawSpan) {
    if !isOpen { open() }
    ring[writing].append(observation, bytes)
    if ring[writing].isFull { send(.observe) }
  }

  private func open() {
    empty.wait()
    ring[writing].clear()
    isOpen = true
  }

  private func send(_ command: ObservationBatch.Command) {
    if !isOpen { open() }
    ring[writing].command = command
    isOpen = false
    writing = (writing + 1) % Self.ringSize
    filled.signal()
  }

  /// Observes what has come, then closes the bin.
  func tick(now: Int64) {
    if isOpen { send(.observe) }
    send(.tick(now: now))
  }

  /// Returns when the thread has nothing left to do.
  func drain() {
    if isOpen { send(.observe) }
    for _ in 0..<Self.ringSize { empty.wait() }
    for _ in 0..<Self.ringSize { empty.signal() }
  }

  func stop() {
    if isOpen { send(.observe) }
    send(.stop)
  }

  // MARK: The worker's side

  private func run() {
    var reading = 0
    while true {
      filled.wait()
      switch ring[reading].command {
      case .observe:
        observe(ring[reading])
      case .tick(let now):
        for index in owned { partitions[index].tick(now: now) }
      case .stop:
        empty.signal()
        return
      }
      reading = (reading + 1) % Self.ringSize
      empty.signal()
    }
  }

  private func observe(_ batch: borrowing ObservationBatch) {
    var touched: UInt64 = 0
    var start = 0
    // Groups of packets whose table memory is fetched together, before it is needed.
    while start < batch.count {
      let end = min(start + 32, batch.count)
      for index in start..<end {
        let observation = batch[index]
        touched &+= partitions[Int(observation.partition)].touch(observation)
      }
      for index in start..<end {
        let observation = batch[index]
        partitions[Int(observation.partition)].observe(
          observation, sample: batch.sample(index, length: Int(observation.sampleLength)))
      }
      start = end
    }
    sink = touched
  }

  /// Keeps the compiler from removing the touching loads.
  private var sink: UInt64 = 0
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
