import NetworkTypes
import Synchronization

/// A time-stamp authority (RFC 3161): a unit, a clock that is watched, and a journal in which every
/// stamp is before it leaves.
///
/// ```swift
/// let authority = try TimeStampAuthority(
///   unit: unit, clock: clockSources, journal: journal, signer: logSigner)
/// async let watching: Void = authority.run()
/// let reply = await authority.answer(query)
/// ```
public final class TimeStampAuthority: TimeStampSource {
  /// What it did since it started.
  public struct Counters: Sendable {
    public var granted: UInt64 = 0
    public var rejected: [TimeStampFailure: UInt64] = [:]
    /// Requests turned away because too many waited for the disk.
    public var overloaded: UInt64 = 0
  }

  private struct State {
    var counters = Counters()
    var waiting = 0
    var lastGenTime = Timestamp.distantPast
    var note: String?
    var noteHead: JournalHead?
    var noteAt: Int64 = 0
  }

  public let unit: TimeStampUnit
  public let clock: ClockGuard
  public let journal: Journal
  public let parameters: TimeStampAuthorityParameters
  let signer: LogSigner
  private let state = Mutex(State())
  /// Half of every serial number; drawn anew in each process, so that not even a journal restored
  /// from an old copy leads to a number that was given before.
  private let serialPrefix: [UInt8]
  /// A unit in genTime's last digit, in nanoseconds.
  private let resolution: Int64

  /// An authority; refused where the unit's key cannot sign.
  public init(
    unit: TimeStampUnit, clockSources: ClockSources,
    clockParameters: ClockGuardParameters = .init(),
    isGuarding: Bool = true, journal: Journal, signer: LogSigner,
    parameters: TimeStampAuthorityParameters = .init()
  ) {
    self.unit = unit
    self.journal = journal
    self.signer = signer
    self.parameters = parameters
    clock = ClockGuard(
      sources: clockSources, parameters: clockParameters, isGuarding: isGuarding
    ) { record in
      try await journal.append(TimeStampEntry.clock(record).encoded)
    }
    var prefix = (0..<8).map { _ in UInt8.random(in: 0...255) }
    prefix[0] = prefix[0] & 0x7F | 0x40
    serialPrefix = prefix
    var resolution: Int64 = 1_000_000_000
    for _ in 0..<min(9, max(0, unit.parameters.fractionDigits)) { resolution /= 10 }
    self.resolution = resolution
  }

  /// Watches the clock and anchors the journal until the task is cancelled.
  public func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.clock.run() }
      group.addTask { await self.anchorRegularly() }
    }
  }

  /// What it did since it started.
  public var counters: Counters { state.withLock { $0.counters } }

  /// The answer to the octets of a request: always a TimeStampResp, DER.
  public func answer(_ query: [UInt8]) async -> [UInt8] {
    do {
      let request = try unit.read(query)
      return Self.response(try await stamp(request))
    } catch { return refusal(error) }
  }

  public func timeStamp(_ request: TimeStampRequest) async throws -> TimeStampToken {
    let token: TimeStampToken
    do { token = try TimeStampToken(encoded: try await stamp(request)) } catch {
      _ = refusal(error)
      throw error
    }
    return token
  }

  private func refusal(_ error: any Error) -> [UInt8] {
    let rejection =
      error as? TimeStampRejection
      // What broke inside is for the operator, not for whoever asked.
      ?? TimeStampRejection(.systemFailure, "The authority cannot stamp now. Try again later.")
    state.withLock { state in
      if let failure = rejection.failure { state.counters.rejected[failure, default: 0] += 1 }
    }
    return TimeStampResponse(rejection).encoded
  }

  /// Too many stamps wait for the disk.
  public var isOverloaded: Bool {
    state.withLock { state in
      guard state.waiting >= parameters.maximumWaiting else { return false }
      state.counters.overloaded += 1
      return true
    }
  }

  /// Checks, takes the time, signs, and waits until the journal has it.
  private func stamp(_ request: TimeStampRequest) async throws -> [UInt8] {
    try unit.check(request)
    state.withLock { $0.waiting += 1 }
    defer { state.withLock { $0.waiting -= 1 } }
    let (moment, record) = try takeMoment()
    let serial = serialPrefix + Self.octets(try journal.nextSerialNumber())
    let token = try unit.encodedStamp(request, serialNumber: serial, genTime: moment)
    let entry = TimeStampEntry.stamp(
      serialNumber: serial, genTime: moment, tokenHash: HashAlgorithm.sha256.hash(token),
      clockRecord: record)
    _ = try await journal.append(entry.encoded)
    state.withLock { $0.counters.granted += 1 }
    return token
  }

  /// The moment as genTime will say it, after every earlier one where stamps are ordered.
  private func takeMoment() throws -> (Timestamp, UInt64?) {
    let guarded = try clock.now()
    var nanoseconds = guarded.moment.nanoseconds
    nanoseconds -= nanoseconds % resolution
    guard unit.parameters.ordering else {
      return (Timestamp(nanoseconds: nanoseconds), guarded.record)
    }
    let wanted = nanoseconds
    let taken = state.withLock { state -> Int64? in
      let next = max(wanted, state.lastGenTime.nanoseconds &+ resolution)
      guard Double(next - wanted) <= parameters.maximumOrderingLead * 1e9 else { return nil }
      state.lastGenTime = Timestamp(nanoseconds: next)
      return next
    }
    guard let taken else {
      throw TimeStampRejection(
        .timeNotAvailable, "Too many stamps at once to keep them in order. Try again.")
    }
    return (Timestamp(nanoseconds: taken), guarded.record)
  }

  static func octets(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - UInt64($0) * 8)) }
  }

  /// PKIStatusInfo of granted (0), then the token.
  private static func response(_ token: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(token.count + 16)
    TimeStampEncoder.begin(0x30, 5 + token.count, &out)
    out += [0x30, 3, 2, 1, 0]
    out += token
    return out
  }

  // The published head.

  /// The signed head, at most ``TimeStampAuthorityParameters/headSeconds`` old.
  public func head() throws -> (note: String, head: JournalHead) {
    let now = ClockPair.read().monotonic
    let known = state.withLock { state -> (String, JournalHead)? in
      guard let note = state.note, let head = state.noteHead,
        Double(now &- state.noteAt) < parameters.headSeconds * 1e9
      else { return nil }
      return (note, head)
    }
    if let known { return known }
    let head = journal.head
    let note = try signer.note(head)
    state.withLock { state in
      // Never an older head after a newer one.
      guard (state.noteHead?.size ?? 0) <= head.size else { return }
      state.note = note
      state.noteHead = head
      state.noteAt = now
    }
    return (note, head)
  }

  /// Stamps the signed head and keeps both in the journal.
  @discardableResult
  public func anchor() async throws -> JournalHead {
    let (note, head) = try head()
    let token = try await stamp(
      TimeStampRequest(MessageImprint(.sha256, of: Array(note.utf8)), nonce: nil))
    _ = try await journal.append(TimeStampEntry.anchor(token: token, note: note).encoded)
    return head
  }

  private func anchorRegularly() async {
    var anchored: UInt64 = 0
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(Int(parameters.anchorSeconds * 1000)))
      guard !Task.isCancelled, journal.head.size > anchored else { continue }
      // Without time there is no anchor; the next hour tries again.
      if (try? await anchor()) != nil { anchored = journal.head.size }
    }
  }
}
