public import Constituency
import Foundation
public import Logging
public import NetworkTypes
import Store

/// Brings what waits in the outbox, again and again, one process at a time.
///
/// ```swift
/// let service = DeliveryService(
///   outbox, channels: [.smtp: .smtp(client), .directory: .directory("notices")], now: clock)
/// try await service.run(until: { isStopped })
/// ```
public struct DeliveryService: Sendable {
  public let outbox: Outbox
  public let channels: [DeliveryPreferences.Channel: DeliveryChannel]
  private let now: @Sendable () -> Timestamp
  private let sleep: @Sendable (Double) async throws -> Void
  private let logger: Logger
  private let sealing: NoticeSealing?
  private let checkpoint: @Sendable (DeliveryPoint) throws -> Void

  /// - Parameters:
  ///   - channels: deliveries by other channels stay pending, visibly.
  ///   - sealing: seals what waits for it; without, that goes on to wait, visibly.
  ///   - now: the wall clock.
  ///   - sleep: waits so many seconds.
  public init(
    _ outbox: Outbox, channels: [DeliveryPreferences.Channel: DeliveryChannel],
    sealing: NoticeSealing? = nil, logger: Logger = Logger(label: "noroshi.delivery"),
    now: @escaping @Sendable () -> Timestamp,
    sleep: @escaping @Sendable (Double) async throws -> Void = {
      try await Task.sleep(for: .seconds($0))
    }
  ) {
    self.init(
      outbox, channels: channels, sealing: sealing, logger: logger, now: now, sleep: sleep
    ) { _ in }
  }

  init(
    _ outbox: Outbox, channels: [DeliveryPreferences.Channel: DeliveryChannel],
    sealing: NoticeSealing? = nil, logger: Logger = Logger(label: "noroshi.delivery"),
    now: @escaping @Sendable () -> Timestamp,
    sleep: @escaping @Sendable (Double) async throws -> Void,
    checkpoint: @escaping @Sendable (DeliveryPoint) throws -> Void
  ) {
    self.outbox = outbox
    self.channels = channels
    self.sealing = sealing
    self.logger = logger
    self.now = now
    self.sleep = sleep
    self.checkpoint = checkpoint
  }

  /// What one round did.
  public struct Round: Hashable, Sendable {
    /// Deliveries that an ended process had left in the middle.
    public var recovered = 0
    /// Notices that got their seals, and notices that could not.
    public var sealed = 0
    public var unsealed = 0
    public var delivered = 0
    public var postponed = 0
    public var failed = 0
    public var inDoubt = 0

    public init() {}

    mutating func count(_ outcome: MailOutcome) {
      switch outcome {
      case .accepted: delivered += 1
      case .temporary: postponed += 1
      case .permanent: failed += 1
      case .unknown: inDoubt += 1
      }
    }
  }

  /// Tries everything that is due now, once.
  ///
  /// - Throws: ``OutboxLock/Busy`` where another process delivers, and errors of the database.
  public func deliverDue() async throws -> Round {
    let lock = try OutboxLock(besideDatabase: outbox.store.path)
    defer { lock.release() }
    return try await round()
  }

  /// Looks every `interval` seconds until it is stopped or cancelled; what is being sent is finished
  /// first. Errors of the database are logged and tried again.
  ///
  /// - Parameters:
  ///   - beforeRound: makes the notices that are due.
  /// - Throws: ``OutboxLock/Busy`` where another process delivers.
  public func run(
    until isStopped: @Sendable () -> Bool, every interval: Double = 30,
    beforeRound: @Sendable (Timestamp) async throws -> Void = { _ in }
  ) async throws {
    let lock = try OutboxLock(besideDatabase: outbox.store.path)
    defer { lock.release() }
    while !isStopped(), !Task.isCancelled {
      do {
        try await beforeRound(now())
        let round = try await round()
        if round != Round() { logger.info("deliveries: \(round.summary)") }
      } catch {
        logger.error("deliveries: \(error)")
      }
      if isStopped() || Task.isCancelled { break }
      do { try await sleep(interval) } catch { break }
    }
  }

  private func round() async throws -> Round {
    let resumable = Set(channels.filter { $0.value.isResumable }.keys)
    var total = Round()
    if let sealing {
      let sealed = try await outbox.seal(with: sealing, at: now)
      total.sealed = sealed.sealed
      total.unsealed = sealed.failures.count
      for failure in sealed.failures { logger.error("a notice waits for its seal: \(failure)") }
    }
    total.recovered = try outbox.recover(resumable: resumable, at: now())
    // One moment for the whole round, so that what is postponed waits for a later one.
    let moment = now()
    try await withThrowingTaskGroup(of: MailOutcome?.self) { group in
      for _ in 0..<max(1, outbox.delivery.concurrency) {
        group.addTask { try await attemptNext(at: moment) }
      }
      while let outcome = try await group.next() {
        // Nil: nothing more is due.
        guard let outcome else { continue }
        total.count(outcome)
        if !Task.isCancelled { group.addTask { try await attemptNext(at: moment) } }
      }
    }
    return total
  }

  private func attemptNext(at moment: Timestamp) async throws -> MailOutcome? {
    guard let claim = try outbox.claim(Array(channels.keys), at: moment) else { return nil }
    // A task of its own: what is being sent is finished also when the service is cancelled.
    return try await Task { try await attempt(claim) }.value
  }

  private func attempt(_ claim: Outbox.Claim) async throws -> MailOutcome {
    try checkpoint(.claimed)
    let delivery = claim.package.delivery
    // Only deliveries of our channels are claimed.
    guard let channel = channels[delivery.channel] else { return .temporary("no such channel") }
    let outcome = try await channel.deliver(claim.package) {
      try outbox.markTransmitting(claim)
      try checkpoint(.marked)
    }
    try checkpoint(.sent)
    try outbox.settle(claim, outcome, at: now())
    try checkpoint(.settled)
    logger.debug("delivery \(delivery.id) to \(delivery.target): \(outcome)")
    return outcome
  }
}

extension DeliveryService.Round {
  /// `2 delivered, 1 postponed`.
  public var summary: String {
    let counts = [
      (recovered, "recovered"), (sealed, "sealed"), (unsealed, "not sealed"),
      (delivered, "delivered"), (postponed, "postponed"),
      (failed, "failed"), (inDoubt, "in doubt"),
    ]
    let words = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return words.isEmpty ? "nothing was due" : words.joined(separator: ", ")
  }
}
