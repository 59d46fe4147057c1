/// Where time stamps come from: an authority in this process, or one elsewhere.
///
/// ```swift
/// let token = try await source.timeStamp(.sha256, digest: digest)
/// ```
public protocol TimeStampSource: Sendable {
  /// The stamp for a request.
  ///
  /// Throws ``TimeStampRejection`` where the authority refuses; a source elsewhere throws its
  /// transport's errors too. The token answers the request (imprint, nonce, policy); its signature is
  /// for the caller to verify.
  func timeStamp(_ request: TimeStampRequest) async throws -> TimeStampToken
}

extension TimeStampSource {
  /// The stamp over a digest, with the unit's certificate in it.
  public func timeStamp(_ algorithm: HashAlgorithm, digest: [UInt8]) async throws -> TimeStampToken
  {
    try await timeStamp(TimeStampRequest(MessageImprint(algorithm, digest: digest)))
  }

  /// The stamp over content.
  public func timeStamp(_ content: [UInt8], algorithm: HashAlgorithm = .sha256) async throws
    -> TimeStampToken
  {
    try await timeStamp(algorithm, digest: algorithm.hash(content))
  }
}

/// An authority elsewhere, spoken to as RFC 3161 3.4 says; how octets get there is the caller's.
public struct RemoteTimeStampSource: TimeStampSource {
  /// Sends `application/timestamp-query` and gives the body of the `application/timestamp-reply`.
  private let exchange: @Sendable ([UInt8]) async throws -> [UInt8]

  /// A source behind an exchange of request for response.
  public init(exchange: @escaping @Sendable ([UInt8]) async throws -> [UInt8]) {
    self.exchange = exchange
  }

  public func timeStamp(_ request: TimeStampRequest) async throws -> TimeStampToken {
    let token = try TimeStampResponse(encoded: try await exchange(request.encoded)).granted()
    try token.checkAnswers(request)
    return token
  }
}
