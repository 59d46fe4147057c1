public import NetworkTypes

/// A unit in this process as a source, with a clock and serial numbers given by its owner: for tests
/// and for programs that keep no journal.
public struct UnitTimeStampSource: TimeStampSource {
  private let unit: TimeStampUnit
  private let clock: @Sendable () throws -> Timestamp
  private let serialNumber: @Sendable () throws -> [UInt8]

  /// A source that stamps with `unit`; both closures are called once for each token, and a serial
  /// number must never come twice.
  public init(
    _ unit: TimeStampUnit, clock: @escaping @Sendable () throws -> Timestamp,
    serialNumber: @escaping @Sendable () throws -> [UInt8] = {
      CertificateTemplate.randomSerialNumber()
    }
  ) {
    self.unit = unit
    self.clock = clock
    self.serialNumber = serialNumber
  }

  public func timeStamp(_ request: TimeStampRequest) async throws -> TimeStampToken {
    try unit.check(request)
    return try unit.stamp(request, serialNumber: serialNumber(), genTime: clock())
  }
}

extension TimeStampSource {
  /// The hash of what seals have stamped: every authority takes it.
  var preferredHash: HashAlgorithm { .sha256 }

  func timeStamp(_ imprint: MessageImprint) async throws -> TimeStampToken {
    try await timeStamp(TimeStampRequest(imprint))
  }
}
