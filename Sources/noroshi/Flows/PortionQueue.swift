import Foundation
import ServiceLifecycle

/// What the threads of a collector hand to one thread that works on it. Handing on never waits: what
/// finds no room is dropped and counted.
final class PortionQueue<Item: Sendable>: @unchecked Sendable {
  // @unchecked Sendable: everything below is guarded by `condition`.

  private let condition = NSCondition()
  private var portions: [[Item]] = []
  private var waiting = 0
  private var lost: UInt64 = 0
  private var isStopped = false
  private let capacity: Int

  /// - Parameter capacity: items that may wait.
  init(capacity: Int) { self.capacity = capacity }

  /// Items that found no room.
  var dropped: UInt64 {
    condition.lock()
    defer { condition.unlock() }
    return lost
  }

  func append(_ portion: [Item]) {
    guard !portion.isEmpty else { return }
    condition.lock()
    if waiting + portion.count <= capacity || portions.isEmpty {
      portions.append(portion)
      waiting += portion.count
      condition.signal()
    } else {
      lost &+= UInt64(portion.count)
    }
    condition.unlock()
  }

  /// What has come, after at most so many seconds; nil when it is time to stop and nothing is left.
  func take(within seconds: Double) -> [[Item]]? {
    condition.lock()
    defer { condition.unlock() }
    if portions.isEmpty, !isStopped, seconds > 0 {
      _ = condition.wait(until: Date(timeIntervalSinceNow: seconds))
    }
    if portions.isEmpty, isStopped { return nil }
    defer {
      portions = []
      waiting = 0
    }
    return portions
  }

  /// Whether it is time to stop.
  var isEnding: Bool {
    condition.lock()
    defer { condition.unlock() }
    return isStopped
  }

  func stop() {
    condition.lock()
    isStopped = true
    condition.signal()
    condition.unlock()
  }

  /// Runs `work` on a thread of its own until it returns; a stop of the service stops the queue.
  func serve(_ work: @escaping @Sendable () -> Void) async {
    await withGracefulShutdownHandler {
      await withTaskCancellationHandler {
        await withCheckedContinuation { done in
          Thread.detachNewThread {
            work()
            done.resume()
          }
        }
      } onCancel: {
        self.stop()
      }
    } onGracefulShutdown: {
      self.stop()
    }
  }
}
