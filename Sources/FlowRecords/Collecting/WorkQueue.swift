import Glibc

/// Something for the thread that decodes.
enum CollectorWork {
  case block(DatagramBlock)
  /// A whole IPFIX message of a TCP connection.
  case message([UInt8], source: [UInt8], family: UInt8, session: UInt64, received: Int64)
  case sessionEnd(UInt64)
}

/// A bounded queue between threads: who offers waits while it is full.
///
/// Everything in it is handed over, and so has one owner at a time.
final class BoundedQueue<Element>: @unchecked Sendable {
  private let bound: Int
  private let isLIFO: Bool
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  // Guarded by `mutex`. `head` saves moving the elements for each that is taken from the front.
  private var elements: [Element?] = []
  private var head = 0
  private var isClosed = false
  private var waits: UInt64 = 0

  /// A LIFO queue gives back what was put in last, whose memory is still in the cache.
  init(bound: Int, isLIFO: Bool = false) {
    self.bound = max(bound, 1)
    self.isLIFO = isLIFO
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  private var count: Int { elements.count - head }

  /// Puts an element in, waiting for room; false when the queue is closed.
  @discardableResult
  func put(_ element: Element) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if count >= bound { waits &+= 1 }
    while count >= bound, !isClosed { pthread_cond_wait(changed, mutex) }
    guard !isClosed else { return false }
    elements.append(element)
    pthread_cond_broadcast(changed)
    return true
  }

  /// Takes an element out, waiting for one at most so long; nil when none came.
  func take(waiting seconds: Double) -> Element? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if count == 0, !isClosed {
      var deadline = timespec()
      clock_gettime(CLOCK_REALTIME, &deadline)
      let nanoseconds = deadline.tv_nsec + Int(seconds * 1e9)
      deadline.tv_sec += nanoseconds / 1_000_000_000
      deadline.tv_nsec = nanoseconds % 1_000_000_000
      while count == 0, !isClosed {
        if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
      }
    }
    guard count > 0 else { return nil }
    defer { pthread_cond_broadcast(changed) }
    if isLIFO { return elements.removeLast() }
    let element = elements[head]
    elements[head] = nil
    head += 1
    if head == elements.count || head >= 256 {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }

  /// No more elements go in; those in it can still be taken.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  /// Whether the queue is closed and empty.
  var isFinished: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isClosed && count == 0
  }

  /// How often someone had to wait for room.
  var fullCount: UInt64 {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return waits
  }
}
