import FlowArchive
import Foundation
import Testing

@testable import Portal

@Suite("The desk where searches are handed in")
struct FlowDeskTests {
  private static func parameters(_ change: (inout FlowDeskParameters) -> Void = { _ in })
    -> FlowDeskParameters
  {
    var parameters = FlowDeskParameters()
    parameters.running = 1
    change(&parameters)
    return parameters
  }

  /// Works until it is told to stop.
  private static func endless(_ job: FlowJob) throws -> FlowAnswer {
    while !job.mustStop { usleep(1_000) }
    throw FlowFailure(FlowFailure.cancelled, isLate: job.isLate)
  }

  @Test("what is above the limit waits in line, runs when there is room, and can leave the line")
  func line() async throws {
    let desk = FlowDesk(parameters: Self.parameters())
    let first = try desk.begin(owner: 1, key: "a", title: "a", Self.endless)
    let second = try desk.begin(owner: 1, key: "b", title: "b", Self.endless)
    let third = try desk.begin(owner: 2, key: "c", title: "c", Self.endless)
    #expect(first.isRunning && !second.isRunning && !third.isRunning)
    desk.cancel(second)
    #expect(second.result != nil)
    desk.cancel(first)
    _ = await first.settle(within: .seconds(120))
    // Minutes, as the machine may be busy with other tests.
    for _ in 0..<24_000 where !third.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    #expect(third.isRunning)
    desk.cancel(third)
    _ = await third.settle(within: .seconds(120))
    #expect(third.isOver)
  }

  @Test("one account cannot take all places, and sees its own searches only")
  func perAccount() async throws {
    let desk = FlowDesk(parameters: Self.parameters { $0.perAccount = 2 })
    let jobs = try (0..<2).map { try desk.begin(owner: 1, key: "\($0)", title: "", Self.endless) }
    #expect(throws: Problem.self) { try desk.begin(owner: 1, key: "", title: "", Self.endless) }
    let other = try desk.begin(owner: 2, key: "", title: "", Self.endless)
    #expect(desk.job(other.id, owner: 1) == nil)
    #expect(desk.open(owner: 1).count == 2)
    for job in jobs + [other] { desk.cancel(job) }
    for job in jobs + [other] { _ = await job.settle(within: .seconds(120)) }
    #expect(desk.open(owner: 1).isEmpty)
  }

  @Test("a search ends with its time, and says so")
  func late() async throws {
    let desk = FlowDesk(parameters: Self.parameters { $0.seconds = 0.05 })
    let job = try desk.begin(owner: 1, key: "", title: "") { job in
      while !job.mustStop { usleep(1_000) }
      throw FlowFailure(ArchiveCancellation.error, isLate: job.isLate)
    }
    guard case .failure(let failure)? = await job.settle(within: .seconds(120)) else {
      Issue.record("it did not end")
      return
    }
    #expect(failure == .tooLong)
    #expect(failure.problem.code == "flows-too-long")
  }

  @Test("answers that nobody fetches are given up, the oldest first")
  func kept() async throws {
    let desk = FlowDesk(parameters: Self.parameters { $0.kept = 2 })
    var jobs: [FlowJob] = []
    for place in 0..<5 {
      let job = try desk.begin(owner: 1, key: "\(place)", title: "") { _ in
        throw FlowFailure.tooMuch
      }
      _ = await job.settle(within: .seconds(120))
      jobs.append(job)
    }
    _ = try desk.begin(owner: 1, key: "", title: "") { _ in throw FlowFailure.tooMuch }
    #expect(jobs.map { desk.job($0.id, owner: 1) != nil } == [false, false, false, true, true])
  }
}
