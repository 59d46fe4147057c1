import Foundation
import NetworkTypes

/// One decoder with the thread that runs it and the queue that feeds it.
final class CollectorShard: @unchecked Sendable {
  let work: BoundedQueue<CollectorWork>
  /// Empty blocks for the threads that receive.
  let empty: BoundedQueue<DatagramBlock>

  private let configuration: CollectorConfiguration
  private let lock = NSLock()
  // Guarded by `lock`, which is taken once for a block of datagrams.
  private let decoder: FlowDecoder
  private var gate: ExporterGate
  private var statistics = CollectorStatistics()

  init(_ configuration: CollectorConfiguration, sink: @escaping FlowSink) {
    self.configuration = configuration
    let blocks = max(configuration.blocks, 2)
    // Messages of streams wait in the same queue as blocks.
    work = BoundedQueue(bound: blocks)
    empty = BoundedQueue(bound: blocks, isLIFO: true)
    for _ in 0..<blocks {
      empty.put(DatagramBlock(largestDatagram: configuration.parameters.largestDatagram))
    }
    decoder = FlowDecoder(parameters: configuration.parameters, sink: sink)
    gate = ExporterGate(configuration)
  }

  /// Decodes until the queue is closed and empty.
  func run() {
    var flushed = DatagramBlock.now()
    let interval = FlowDecoder.nanoseconds(max(configuration.flushSeconds, 0.05))
    while !work.isFinished {
      let next = work.take(waiting: min(max(configuration.flushSeconds, 0.05), 0.25))
      lock.lock()
      if let next { decode(next) }
      let now = DatagramBlock.now()
      if now - flushed >= interval || now < flushed {
        decoder.flush()
        decoder.expire(now: Timestamp(nanoseconds: now))
        flushed = now
      }
      lock.unlock()
      if case .block(let block) = next { empty.put(block) }
    }
    lock.withLock { decoder.flush() }
  }

  private func decode(_ work: CollectorWork) {
    switch work {
    case .block(let block):
      let received = Timestamp(nanoseconds: block.received)
      for index in 0..<block.count {
        block.withDatagram(index) { datagram, source, isTruncated in
          statistics.datagrams &+= 1
          statistics.octets &+= UInt64(datagram.byteCount)
          switch gate.judge(source, at: block.received) {
          case .isNotAllowed: statistics.refused &+= 1
          case .isTooFast: statistics.shed &+= 1
          case .passes:
            decoder.decode(datagram, from: source, received: received, isTruncated: isTruncated)
          }
        }
      }
    case .message(let octets, let source, let family, let session, let received):
      statistics.datagrams &+= 1
      statistics.octets &+= UInt64(octets.count)
      decoder.decode(
        octets.span.bytes, from: DatagramBlock.address(family: family, source),
        received: Timestamp(nanoseconds: received), session: session)
    case .sessionEnd(let session): decoder.endSession(session)
    }
  }

  func snapshot() -> CollectorStatistics {
    lock.withLock {
      var snapshot = statistics
      snapshot.exporters = decoder.statistics
      snapshot.strayFaults = decoder.strayFaults
      snapshot.queueFull = work.fullCount
      return snapshot
    }
  }

  func remembered() -> RememberedExporters { lock.withLock { decoder.remembered() } }

  func restore(_ remembered: RememberedExporters) {
    lock.withLock { decoder.restore(remembered) }
  }
}
