import Foundation
import NetworkTypes
import Synchronization
import Testing

@testable import TrustServices

@Suite("The clock guard")
struct ClockTests {
  func servers(_ manners: [(inout NTPServer.Manner) -> Void]) throws -> [NTPServer] {
    try manners.map { change in
      var manner = NTPServer.Manner()
      change(&manner)
      return try NTPServer(manner)
    }
  }

  func sample(_ servers: [NTPServer], timeout: Double = 1) async -> ClockSample {
    var parameters = ClockGuardParameters()
    parameters.timeoutSeconds = timeout
    var sample = await ClockSources.system(servers.map(\.source), parameters: parameters).sample()
    sample.kernel = KernelDiscipline(isSynchronised: true, maximumErrorSeconds: 0.01)
    return sample
  }

  @Test("three honest servers give the offset of the clock, give or take what they say")
  func honest() async throws {
    let servers = try servers([{ $0.ahead = 0.1 }, { $0.ahead = 0.1 }, { $0.ahead = 0.1 }])
    defer { for server in servers { server.stop() } }
    let sample = await sample(servers)
    #expect(sample.failures.isEmpty)
    // On a busy machine an answer takes its time; its uncertainty has to say so.
    for observation in sample.observations {
      #expect(abs(observation.offset - 0.1) <= observation.uncertainty + 0.002)
      #expect(observation.stratum == 1)
    }
    var parameters = ClockGuardParameters()
    parameters.promisedSeconds = 10
    let judgement = ClockJudgement(sample, parameters: parameters)
    #expect(judgement.state == .ok, "\(judgement.reasons)")
    #expect(judgement.errorBound >= 0.098)
    #expect(judgement.agreeing.count == 3)
  }

  @Test("one server that lies is found out by two that do not, and alone decides nothing")
  func liar() async throws {
    let three = try servers([{ _ in }, { _ in }, { $0.ahead = 3000 }])
    defer { for server in three { server.stop() } }
    var parameters = ClockGuardParameters()
    parameters.promisedSeconds = 10
    let judgement = ClockJudgement(await sample(three), parameters: parameters)
    #expect(judgement.state == .degraded)
    #expect(judgement.falsetickers == [three[2].source])
    #expect(abs(judgement.offset) <= judgement.errorBound)

    let two = ClockJudgement(await sample(Array(three[1...])), parameters: parameters)
    #expect(two.state == .stopped)
    let one = ClockJudgement(await sample([three[0]]), parameters: parameters)
    #expect(one.state == .stopped)
    let none = ClockJudgement(await sample([]), parameters: parameters)
    #expect(none.state == .stopped)
    #expect(none.errorBound == .infinity)
    let lying = try servers([{ $0.ahead = -90 }, { $0.ahead = -90 }])
    defer { for server in lying { server.stop() } }
    let both = ClockJudgement(await sample(lying), parameters: parameters)
    #expect(both.state == .stopped && both.agreeing.count == 2)
  }

  @Test("a clock that is off by more than is promised stops the authority, half of it warns")
  func accuracy() {
    func judge(_ offsets: [Double], uncertainty: Double = 0.01) -> ClockJudgement {
      ClockJudgement(
        ClockSample(
          moment: TestAuthority.now,
          observations: offsets.enumerated().map {
            ClockObservation(
              source: "\($0.offset)", offset: $0.element, uncertainty: uncertainty, stratum: 1)
          }), parameters: .init())
    }
    for (ahead, state) in [
      (0.2, ClockJudgement.State.ok), (0.7, .degraded), (-0.7, .degraded), (0.995, .stopped),
      (1.5, .stopped), (-90, .stopped), (86_400 * 400, .stopped),
    ] {
      let judgement = judge([ahead, ahead])
      #expect(judgement.state == state, "\(ahead): \(judgement.reasons)")
      #expect(abs(judgement.offset - ahead) < 1e-6)
    }
    // Two against two: nobody is believed. Three against two: the three are.
    #expect(judge([0, 0, 5, 5]).state == .stopped)
    #expect(judge([0, 0, 0, 5, 5]).falsetickers == ["3", "4"])
    #expect(judge([.nan, .infinity, 0]).state == .stopped)
    #expect(judge([0, 0], uncertainty: 2).state == .stopped)
    // Intervals that touch agree.
    let touching = judge([0, 0.02])
    #expect(touching.agreeing.count == 2)
    #expect(abs(touching.offset - 0.01) < 1e-9)
  }

  @Test("an answer that is not NTP, not ours, or of a server without time counts for nothing")
  func refusedAnswers() async throws {
    let cases: [((inout NTPServer.Manner) -> Void, String)] = [
      ({ $0.isSilent = true }, "does not answer"), ({ $0.leap = 3 }, "not synchronised"),
      ({ $0.stratum = 16 }, "not synchronised"), ({ $0.mode = 3 }, "not NTP"),
      ({ $0.originate = 42 }, "another question"), ({ $0.length = 47 }, "47 octets"),
      (
        {
          $0.stratum = 0
          $0.reference = Array("RATE".utf8)
        }, "RATE"
      ),
    ]
    let servers = try servers(cases.map(\.0))
    defer { for server in servers { server.stop() } }
    let sample = await sample(servers, timeout: 0.5)
    #expect(sample.observations.isEmpty)
    #expect(sample.failures.count == cases.count)
    for (failure, expected) in zip(sample.failures, cases.map(\.1)) {
      #expect(failure.reason.contains(expected), "\(failure.reason)")
    }
    let unknown = await ClockSources.system(["nowhere.invalid"], parameters: .init()).sample()
    #expect(unknown.failures.count == 1)
  }

  @Test("chrony's line is read, and a chrony without time refused")
  func chrony() throws {
    let line =
      "C0248F96,192.36.143.150,2,1764061100.123456789,0.000012345,-0.000003210,0.000020000,"
      + "-12.345,0.001,0.020,0.004000000,0.000500000,64.2,Normal\n"
    let observation = try ChronyTracking.read(line)
    #expect(observation.offset == 0.000012345)
    #expect(abs(observation.uncertainty - 0.00252) < 1e-9)
    #expect(observation.stratum == 2 && observation.leap == .none)
    #expect(
      try ChronyTracking.read(line.replacing("Normal", with: "Insert second")).leap == .insertion)
    #expect(throws: ClockSourceError.unsynchronised) {
      try ChronyTracking.read(line.replacing("Normal", with: "Not synchronised"))
    }
    for broken in ["", "a,b", line.replacing("0.004000000", with: "nan")] {
      #expect(throws: ClockSourceError.self) { try ChronyTracking.read(broken) }
    }
  }

  @Test("NTP's seconds are read beyond 2036 too")
  func eras() {
    for text in [
      "2026-11-25T09:00:00Z", "2036-02-07T06:28:15Z", "2036-02-07T06:28:17Z",
      "2100-01-01T00:00:00Z",
    ] {
      let moment = Timestamp(text) ?? .distantPast
      let stamp = UInt64(truncatingIfNeeded: moment.seconds + 2_208_988_800) << 32
      for drift in [-86_400.0, 0, 86_400] {
        #expect(
          NTPPacket.moment(stamp, near: moment.advanced(bySeconds: drift)).seconds
            == moment.seconds)
      }
    }
  }

  @Test("NTP's fractions are read to the nanosecond")
  func fractions() throws {
    let moment = try #require(Timestamp("2026-11-25T09:00:00Z"))
    let whole = UInt64(moment.seconds + 2_208_988_800) << 32
    for (fraction, nanoseconds) in [
      (UInt64(0x8000_0000), Int64(500_000_000)), (0x4000_0000, 250_000_000), (43, 10),
      (0xFFFF_FFFF, 999_999_999),
    ] {
      #expect(
        NTPPacket.moment(whole | fraction, near: moment).nanoseconds
          == moment.nanoseconds + nanoseconds)
    }
  }

  @Test("the answers are read whatever octets come", arguments: 0..<200)
  func noise(_ seed: Int) {
    var generator = SystemRandomNumberGenerator()
    let octets = (0..<Int.random(in: 0...80)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    guard let packet = try? NTPPacket(octets) else { return }
    let pair = ClockPair.read()
    _ = try? packet.observation(
      source: "x", question: packet.originate, sent: pair, received: pair)
  }
}

/// Clocks and sources that a test moves by hand.
final class HandClock: Sendable {
  struct State: Sendable {
    var wall = Timestamp("2026-11-25T09:00:00Z") ?? .distantPast
    var monotonic: Int64 = 1_000_000_000
    var offset = 0.0
    var leap = LeapWarning.none
    var answers = 2
  }

  let state = Mutex(State())

  func pass(_ seconds: Double) {
    state.withLock {
      $0.wall = $0.wall.advanced(bySeconds: seconds)
      $0.monotonic += Int64(seconds * 1e9)
    }
  }

  func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

  var sources: ClockSources {
    ClockSources(
      clocks: { [self] in
        state.withLock { ClockPair(wall: $0.wall, monotonic: $0.monotonic) }
      },
      sample: { [self] in
        state.withLock { state in
          ClockSample(
            moment: state.wall,
            observations: (0..<state.answers).map {
              ClockObservation(
                source: "hand\($0)", offset: state.offset, uncertainty: 0.01, stratum: 1,
                leap: state.leap)
            }, kernel: KernelDiscipline(isSynchronised: true, maximumErrorSeconds: 0.01))
        }
      })
  }
}

@Suite("The clock guard at each stamp")
struct ClockGuardTests {
  let hand = HandClock()

  func reason(_ clock: ClockGuard) -> String? {
    do throws(TimeStampRejection) {
      _ = try clock.now()
      return nil
    } catch {
      #expect(error.failure == .timeNotAvailable)
      return error.text
    }
  }

  @Test("there is no time before the first comparison, and again after a good one")
  func begin() async {
    let clock = ClockGuard(sources: hand.sources)
    #expect(reason(clock)?.contains("not compared") == true)
    await clock.check()
    #expect(reason(clock) == nil)
    #expect(clock.status.state == .ok)
    hand.set { $0.offset = 3 }
    await clock.check()
    #expect(reason(clock)?.contains("3.0 s") == true)
    #expect(clock.status.state == .stopped)
    hand.set { $0.offset = 0.001 }
    await clock.check()
    #expect(reason(clock) == nil)
  }

  @Test("a clock that somebody sets is not stamped with until it is compared again")
  func jumps() async {
    let clock = ClockGuard(sources: hand.sources)
    await clock.check()
    hand.pass(10)
    #expect(reason(clock) == nil)
    for step in [5.0, -5.0, 0.3] {
      hand.set { $0.wall = $0.wall.advanced(bySeconds: step) }
      #expect(reason(clock)?.contains("was set") == true)
      // Set back, it is not believed either.
      hand.set { $0.wall = $0.wall.advanced(bySeconds: -step) }
      #expect(reason(clock)?.contains("was set") == true)
      await clock.check()
      #expect(reason(clock) == nil)
    }
    #expect(clock.status.jumps >= 3)
  }

  @Test("a comparison grows stale")
  func age() async {
    var parameters = ClockGuardParameters()
    let clock = ClockGuard(sources: hand.sources, parameters: parameters)
    await clock.check()
    hand.pass(parameters.maximumAgeSeconds - 1)
    #expect(reason(clock) == nil)
    hand.pass(2)
    #expect(reason(clock)?.contains("961 s ago") == true)
    // With a narrow promise the drift alone is too much before that.
    parameters.promisedSeconds = 0.012
    let narrow = ClockGuard(sources: hand.sources, parameters: parameters)
    await narrow.check()
    #expect(reason(narrow) == nil)
    hand.pass(200)
    #expect(reason(narrow)?.contains("by now") == true)
  }

  @Test("nothing is stamped around a leap second, everything else is")
  func leapSecond() async throws {
    hand.set {
      $0.wall = Timestamp("2026-12-31T23:59:50Z") ?? .distantPast
      $0.leap = .insertion
    }
    let clock = ClockGuard(sources: hand.sources)
    await clock.check()
    #expect(reason(clock) == nil)
    hand.pass(9)
    #expect(reason(clock)?.contains("leap") == true)
    hand.pass(2)
    #expect(reason(clock)?.contains("leap") == true)
    hand.pass(3)
    #expect(reason(clock) == nil)
    #expect(!ClockGuard.isNearLeap(Timestamp("2026-11-25T00:00:00Z") ?? .distantPast, 1))
    #expect(ClockGuard.isNearLeap(Timestamp("2027-01-01T00:00:00.5Z") ?? .distantPast, 1))
  }

  @Test("each change is recorded once, and an unchanged state every hour")
  func records() async {
    let kept = Mutex<[ClockRecord]>([])
    let clock = ClockGuard(sources: hand.sources) { record in
      kept.withLock {
        $0.append(record)
        return UInt64($0.count - 1)
      }
    }
    await clock.check()
    hand.pass(60)
    await clock.check()
    #expect(kept.withLock { $0.count } == 1)
    #expect((try? clock.now())?.record == 0)
    hand.set { $0.answers = 1 }
    await clock.check()
    #expect(kept.withLock { $0.last?.state } == "stopped")
    hand.set { $0.answers = 3 }
    await clock.check()
    #expect((try? clock.now())?.record == 2)
    for _ in 0..<60 {
      hand.pass(64)
      await clock.check()
    }
    #expect(kept.withLock { $0.count } == 4)
    let line = TimeStampEntry.clock(kept.withLock { $0[1] })
    #expect(TimeStampEntry(line.encoded) == line)
  }

  @Test("without a record there is no time")
  func unkept() async {
    struct Full: Error {}
    let clock = ClockGuard(sources: hand.sources) { _ in throw Full() }
    await clock.check()
    #expect(reason(clock)?.contains("could not be kept") == true)
  }
}
