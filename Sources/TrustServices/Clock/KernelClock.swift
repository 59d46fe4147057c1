import CClock
public import NetworkTypes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the kernel says of the clock that it keeps (adjtimex).
public struct KernelDiscipline: Hashable, Sendable {
  /// Whether somebody, such as chrony, keeps the clock.
  public var isSynchronised: Bool
  /// The bound of the clock's error in seconds, as who keeps it told the kernel.
  public var maximumErrorSeconds: Double
  /// What the kernel will do, or is doing, at the end of this UTC day.
  public var leap: LeapWarning

  /// A state from its parts.
  public init(isSynchronised: Bool, maximumErrorSeconds: Double, leap: LeapWarning = .none) {
    self.isSynchronised = isSynchronised
    self.maximumErrorSeconds = maximumErrorSeconds
    self.leap = leap
  }

  /// Asks the kernel; nil where it does not answer.
  public static func read() -> KernelDiscipline? {
    var raw = cclock_discipline()
    guard cclock_read(&raw) == 0 else { return nil }
    let leap: LeapWarning =
      switch raw.state {
      case 1, 3: .insertion
      case 2: .deletion
      default: .none
      }
    return KernelDiscipline(
      isSynchronised: raw.status & cclock_unsynchronised == 0 && raw.state != 5,
      maximumErrorSeconds: Double(raw.maximum_error) / 1e6, leap: leap)
  }
}

/// A leap second at the end of the month's last day (ITU-R TF.460-6).
public enum LeapWarning: String, Hashable, Sendable {
  case none, insertion, deletion
}

/// The two clocks at one moment. Both are slewed alike, so that their difference changes only when
/// somebody sets the wall clock, at a leap second, or while the machine sleeps.
public struct ClockPair: Hashable, Sendable {
  /// CLOCK_REALTIME.
  public let wall: Timestamp
  /// CLOCK_MONOTONIC in nanoseconds.
  public let monotonic: Int64

  /// Two readings.
  public init(wall: Timestamp, monotonic: Int64) {
    self.wall = wall
    self.monotonic = monotonic
  }

  /// Reads both clocks of this machine, the wall clock last.
  public static func read() -> ClockPair {
    var monotonic = timespec()
    var wall = timespec()
    clock_gettime(CLOCK_MONOTONIC, &monotonic)
    clock_gettime(CLOCK_REALTIME, &wall)
    return ClockPair(
      wall: Timestamp(nanoseconds: Int64(wall.tv_sec) &* 1_000_000_000 &+ Int64(wall.tv_nsec)),
      monotonic: Int64(monotonic.tv_sec) &* 1_000_000_000 &+ Int64(monotonic.tv_nsec))
  }

  /// How far the wall clock moved against the monotonic one since `earlier`, in seconds.
  public func jump(since earlier: ClockPair) -> Double {
    wall.seconds(since: earlier.wall) - Double(monotonic &- earlier.monotonic) / 1e9
  }
}
