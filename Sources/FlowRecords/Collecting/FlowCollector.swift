import CNetwork
import Foundation
import Glibc
import NetworkTypes

/// Receives NetFlow, IPFIX and sFlow, and hands batches of flows to a sink.
///
/// Threads that receive do nothing else; datagrams go to threads that decode in blocks of 128,
/// without a copy. When decoding or the sink falls behind, datagrams wait in bounded queues, then in the
/// socket's buffer, and then the kernel drops and counts them.
///
/// ```swift
/// let collector = FlowCollector(configuration) { shard in
///   { batch in archive.append(batch); return batch }
/// }
/// try await collector.run()   // until it is cancelled or stopped
/// ```
public final class FlowCollector: @unchecked Sendable {
  public let configuration: CollectorConfiguration
  private let shards: [CollectorShard]
  private let note: @Sendable (String) -> Void

  private let lock = NSLock()
  // Guarded by `lock`.
  private var sockets: [[Socket]] = []
  private var streams: StreamListener?
  private var kernelDrops: [UInt64] = []
  private var isStarted = false
  private var isStopped = false
  private let receivers = DispatchGroup()
  private let decoders = DispatchGroup()

  /// - Parameters:
  ///   - note: gets a sentence for the log now and then.
  ///   - makeSink: called once for each shard with its number. Each sink is called by one thread; it
  ///     takes the batch over, and may give one back to be used again.
  public init(
    _ configuration: CollectorConfiguration,
    note: @escaping @Sendable (String) -> Void = { _ in },
    makeSink: (Int) -> FlowSink
  ) {
    self.configuration = configuration
    self.note = note
    shards = (0..<min(max(configuration.shards, 1), 64)).map {
      CollectorShard(configuration, sink: makeSink($0))
    }
  }

  /// Opens the sockets and starts the threads.
  public func start() throws {
    try lock.withLock {
      guard !isStarted else { return }
      guard !configuration.datagrams.isEmpty || !configuration.streams.isEmpty else {
        throw CollectorError.nothingToListenOn
      }
      restoreState()
      for endpoint in configuration.datagrams { sockets.append(try open(endpoint)) }
      kernelDrops = Array(
        repeating: 0, count: configuration.datagrams.count * shards.count)
      if !configuration.streams.isEmpty {
        streams = try StreamListener(configuration, shards: shards)
      }
      isStarted = true
      for (index, shard) in shards.enumerated() {
        Self.thread("flows-decode-\(index)", decoders) { shard.run() }
      }
      for (listener, sockets) in sockets.enumerated() {
        for (index, socket) in sockets.enumerated() {
          let slot = listener * shards.count + index
          Self.thread("flows-receive-\(slot)", receivers) { [self] in
            receive(socket, shards[index], slot)
          }
        }
      }
      if let streams { Self.thread("flows-tcp", receivers) { streams.run() } }
    }
  }

  /// Stops receiving, decodes what has come, hands it on and keeps the templates. It waits until all
  /// of this is done.
  public func stop() {
    let wasRunning = lock.withLock {
      defer { isStopped = true }
      return isStarted && !isStopped
    }
    guard wasRunning else { return }
    lock.withLock { streams }?.stop()
    receivers.wait()
    for shard in shards { shard.work.close() }
    decoders.wait()
    saveState()
    lock.withLock { sockets = [] }
  }

  /// Runs until the task is cancelled: the body of a service.
  public func run() async throws {
    try start()
    var saved = ContinuousClock.now
    while !Task.isCancelled, !lock.withLock({ isStopped }) {
      // Cancellation ends the sleep and the loop.
      try? await Task.sleep(for: .milliseconds(250))
      if ContinuousClock.now - saved >= .seconds(configuration.stateSeconds) {
        saveState()
        saved = .now
      }
    }
    await withCheckedContinuation { continuation in
      // Stopping waits for threads, which a task's thread must not.
      Self.thread("flows-stop", nil) { [self] in
        stop()
        continuation.resume()
      }
    }
  }

  public func statistics() -> CollectorStatistics {
    var sum = CollectorStatistics()
    for shard in shards {
      let part = shard.snapshot()
      sum.exporters += part.exporters
      sum.strayFaults += part.strayFaults
      sum.datagrams &+= part.datagrams
      sum.octets &+= part.octets
      sum.refused &+= part.refused
      sum.shed &+= part.shed
      sum.queueFull &+= part.queueFull
    }
    lock.withLock {
      sum.kernelDrops = kernelDrops.reduce(0, &+)
      if let streams { (sum.connections, sum.closedConnections) = streams.counts }
    }
    return sum
  }

  /// The UDP ports listened on, as the kernel gave them for port 0; empty before the start.
  public var datagramPorts: [UInt16] {
    lock.withLock { sockets.compactMap { $0.first?.localPort } }
  }

  /// The TCP ports listened on.
  public var streamPorts: [UInt16] { lock.withLock { streams?.ports ?? [] } }

  /// The shard that the kernel gives an exporter's datagrams to.
  static func shard(of address: IPAddress, _ count: Int) -> Int {
    Int(UInt32(truncatingIfNeeded: address.bits) % UInt32(max(count, 1)))
  }

  private func open(_ endpoint: CollectorConfiguration.Endpoint) throws -> [Socket] {
    guard shards.count > 1 else {
      return [
        try Socket.receiving(endpoint, buffer: configuration.receiveBuffer, isShared: false)
      ]
    }
    guard endpoint.port != 0 else {
      throw CollectorError.invalid(
        "\(endpoint): port 0 cannot be shared by \(shards.count) sockets; name a port")
    }
    var group: [Socket] = []
    for _ in shards {
      group.append(
        try Socket.receiving(endpoint, buffer: configuration.receiveBuffer, isShared: true))
    }
    if let first = group.first,
      cnetwork_steer_by_source(first.descriptor, UInt32(shards.count)) != 0
    {
      note(
        "\(endpoint): exporters are spread by address and port, not by address alone "
          + "(\(String(cString: strerror(errno)))); one that sends from several ports may lack "
          + "templates")
    }
    return group
  }

  /// Where datagrams follow each other closely, waking up for each costs far more than reading it: a
  /// little later there are some more. In a buffer of 4 MB there is room for 50 ms of 1 M flows a second.
  private static let longestGathering: Int64 = 4_000_000
  private static let shortestGathering: Int64 = 200_000

  /// Nanoseconds to wait before the next look, so that a block is three quarters full then; 0 after one
  /// that was full, behind which there may be more, and after a pause.
  private static func gathering(_ count: Int, in nanoseconds: Int64) -> Int64 {
    guard count < DatagramBlock.slots, count > 0, nanoseconds > 0,
      nanoseconds < 2 * longestGathering
    else { return 0 }
    let wanted = nanoseconds * Int64(DatagramBlock.slots * 3 / 4) / Int64(count)
    return wanted < shortestGathering ? 0 : min(wanted, longestGathering)
  }

  private func receive(_ socket: Socket, _ shard: CollectorShard, _ slot: Int) {
    var overflow: UInt32 = 0
    var reported: UInt32 = 0
    var lastReceived: Int64 = 0
    var gathering: Int64 = 0
    while !lock.withLock({ isStopped }) {
      guard let block = shard.empty.take(waiting: 0.25) else { continue }
      block.removeAll()
      if gathering > 0 { usleep(UInt32(gathering / 1_000)) }
      let fault = block.receive(from: socket.descriptor, waits: true, overflow: &overflow)
      guard fault == 0 else {
        shard.empty.put(block)
        gathering = 0
        if fault != EAGAIN, fault != EINTR {
          note("\(socket.endpoint): receiving: \(String(cString: strerror(fault)))")
          usleep(100_000)
        }
        continue
      }
      gathering = Self.gathering(block.count, in: block.received - lastReceived)
      lastReceived = block.received
      shard.work.put(.block(block))
      if overflow != reported {
        // The kernel's counter has 32 bits; its difference is right over a wrap.
        let more = UInt64(overflow &- reported)
        lock.withLock { kernelDrops[slot] &+= more }
        reported = overflow
      }
    }
  }

  private func restoreState() {
    guard let path = configuration.stateFile else { return }
    do {
      guard let remembered = try StateFile(path: path).read() else { return }
      for (index, shard) in shards.enumerated() {
        var part = remembered
        part.exporters.removeAll { Self.shard(of: $0.exporter.address, shards.count) != index }
        shard.restore(part)
      }
    } catch {
      note("\(path): the templates kept cannot be read and are learnt anew: \(error)")
    }
  }

  private func saveState() {
    guard let path = configuration.stateFile else { return }
    var all = RememberedExporters()
    for shard in shards { all.exporters += shard.remembered().exporters }
    do {
      try StateFile(path: path).write(all)
    } catch {
      note("\(path): templates are not kept: \(error)")
    }
  }

  private static func thread(
    _ name: String, _ group: DispatchGroup?, _ body: @escaping @Sendable () -> Void
  ) {
    group?.enter()
    let thread = Thread {
      body()
      group?.leave()
    }
    thread.name = name
    // The kernel's structures for 64 datagrams are on the stack of the thread that receives.
    thread.stackSize = 1 << 20
    thread.start()
  }
}
