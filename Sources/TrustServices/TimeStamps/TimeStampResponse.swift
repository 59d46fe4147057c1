import SwiftASN1

/// PKIFailureInfo as RFC 3161 2.4.2 uses it, by the number of its bit.
public enum TimeStampFailure: Int, Hashable, Sendable, CaseIterable {
  case badAlg = 0
  case badRequest = 2
  case badDataFormat = 5
  case timeNotAvailable = 14
  case unacceptedPolicy = 15
  case unacceptedExtension = 16
  case addInfoNotAvailable = 17
  case systemFailure = 25
}

/// A request that is not answered with a stamp, and why.
public struct TimeStampRejection: Error, Hashable, Sendable, CustomStringConvertible {
  public let failure: TimeStampFailure?
  /// For whoever asked.
  public let text: String

  /// A rejection with the reason in words.
  public init(_ failure: TimeStampFailure?, _ text: String) {
    self.failure = failure
    self.text = text
  }

  public var description: String {
    let code = failure.map { "\($0)" } ?? "no reason given"
    return "The time-stamp request was rejected (\(code)): \(text)"
  }
}

/// TimeStampResp (RFC 3161 2.4.2).
public struct TimeStampResponse: Sendable {
  /// PKIStatus.
  public enum Status: Int, Hashable, Sendable {
    case granted = 0
    case grantedWithMods = 1
    case rejection = 2
    case waiting = 3
    case revocationWarning = 4
    case revocationNotification = 5
  }

  public let status: Status
  public let statusText: [String]
  public let failures: [TimeStampFailure]
  /// The token of a granted request.
  public let token: TimeStampToken?
  public let encoded: [UInt8]

  /// The answer that carries a token.
  public init(_ token: TimeStampToken, status: Status = .granted) {
    self.status = status
    statusText = []
    failures = []
    self.token = token
    encoded = der { coder in
      coder.sequence { coder in
        coder.sequence { $0.integer(status.rawValue) }
        coder.raw(token.encoded)
      }
    }
  }

  /// The answer that says why there is no token.
  public init(_ rejection: TimeStampRejection) {
    status = .rejection
    statusText = [rejection.text]
    failures = rejection.failure.map { [$0] } ?? []
    token = nil
    encoded = der { coder in
      coder.sequence { coder in
        coder.sequence { coder in
          coder.integer(Status.rejection.rawValue)
          coder.sequence { $0.string(rejection.text, .utf8String) }
          if let failure = rejection.failure { coder.namedBits(1 << UInt32(failure.rawValue)) }
        }
      }
    }
  }

  /// Reads what came as `application/timestamp-reply`.
  public init(encoded bytes: [UInt8]) throws {
    let name = "TimeStampResp"
    self.encoded = bytes
    var reader = try ElementReader(try ASN1Node.parse(ber: bytes[...], as: name), as: name)
    var info = try ElementReader(try reader.any("status"), as: "PKIStatusInfo")
    let code = try info.smallInteger("status")
    guard let known = Status(rawValue: code) else {
      throw info.wrong("status", "\(code) is not known")
    }
    status = known
    if let texts = info.optional(.sequence) {
      statusText = try texts.children("PKIStatusInfo", "statusString").compactMap(\.text)
    } else {
      statusText = []
    }
    if let bits = info.optional(.bitString) {
      let set = try bits.namedBits("PKIStatusInfo", "failInfo")
      failures = TimeStampFailure.allCases.filter { set & (1 << UInt32($0.rawValue)) != 0 }
    } else {
      failures = []
    }
    if reader.isAtEnd {
      token = nil
    } else {
      token = try TimeStampToken(try SignedData(try reader.any("timeStampToken")))
    }
    try reader.end()
    let isGranted = status == .granted || status == .grantedWithMods
    guard isGranted == (token != nil) else {
      throw reader.wrong(
        "timeStampToken", "\(status) with or without a token against RFC 3161 2.4.2")
    }
  }

  /// The token, or the rejection as an error.
  public func granted() throws(TimeStampRejection) -> TimeStampToken {
    guard let token else {
      throw TimeStampRejection(failures.first, statusText.joined(separator: " "))
    }
    return token
  }
}
