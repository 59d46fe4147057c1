public import NetworkTypes

/// Why a trusted list is not to be believed.
public enum TrustedListError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not a list, or one that says something impossible.
  case malformed(MalformedStructure)
  /// Its seal does not stand against the operator's certificate: the reason.
  case notSealed(String)
  /// It is older than one that was seen.
  case older(sequence: UInt64, known: UInt64)
  /// Another list of the same number was seen: the operator shows different people different lists.
  case forked(sequence: UInt64)
  /// It takes back what an earlier one said.
  case rewritten(String)

  public var description: String {
    switch self {
    case .malformed(let error): error.description
    case .notSealed(let reason):
      "The list's seal does not stand: \(reason) Get the list, and the operator's certificate, again."
    case .older(let sequence, let known):
      "The list has number \(sequence), and number \(known) was seen before. Get the current one."
    case .forked(let sequence):
      "There are two different lists of number \(sequence). Keep both and ask the operator."
    case .rewritten(let what):
      "The list takes back what an earlier one said: \(what) Keep both and ask the operator."
    }
  }
}

/// A trusted list with its seal (JAdES), as it is published and read.
public struct SealedTrustedList: Hashable, Sendable {
  public let list: TrustedList
  /// The sealed text: what is kept and published.
  public let encoded: [UInt8]
  /// What is written as content type of the sealed text.
  static let contentType = "application/vnd.noroshi.trusted-list+json"

  /// Seals a list.
  ///
  /// - Parameter level: `basic`, or with a time stamp of the sealer's authority.
  public init(
    sealing list: TrustedList, by sealer: JAdESSealer, level: SealLevel = .basic,
    at moment: Timestamp
  ) async throws {
    self.list = list
    encoded = try await sealer.seal(
      list.encoded, contentType: Self.contentType, level: level, at: moment
    ).encoded
  }

  /// Reads a sealed list without believing it: for showing it, and for whoever has it from its own
  /// disk.
  public init(unverified bytes: [UInt8], parameters: TrustedListParameters = .init())
    throws(TrustedListError)
  {
    guard bytes.count <= parameters.maximumOctets else {
      throw .malformed(
        MalformedStructure(
          "TrustedList", "length", "more than \(parameters.maximumOctets) octets"))
    }
    do {
      let message = try JSONWebSignature(encoded: bytes)
      guard let payload = message.payload else {
        throw MalformedStructure("TrustedList", "payload", "not inside its seal")
      }
      for signer in message.signers
      where signer.protected["cty"]?.text != Self.contentType || !signer.isPayloadEncoded {
        throw MalformedStructure("TrustedList", "cty", "a seal over something else")
      }
      list = try TrustedList(encoded: payload, parameters: parameters)
    } catch {
      throw .malformed(
        error as? MalformedStructure ?? MalformedStructure("TrustedList", "seal", "\(error)"))
    }
    encoded = bytes
  }

  /// Reads a sealed list and believes it where every seal on it stands by `validator`, whose anchors
  /// are the operator's certificates or those above them, and nothing else.
  ///
  /// The validator's moment is now, also where a past moment is asked about: lists are judged when
  /// they are read.
  public init(
    verifying bytes: [UInt8], by validator: SealValidator,
    parameters: TrustedListParameters = .init()
  ) throws(TrustedListError) {
    try self.init(unverified: bytes, parameters: parameters)
    var validator = validator
    // A list vouches for others, not for lists.
    validator.trustedLists = TrustedLists()
    validator.requiresAccreditation = false
    let report = validator.validate(jws: bytes)
    guard !report.signatures.isEmpty, report.conclusion.isPassed else {
      throw .notSealed(
        [report.conclusion.code, report.conclusion.detail].compactMap { $0 }.joined(
          separator: ": "))
    }
    for signature in report.signatures {
      // A certificate that is an anchor itself is trusted as it stands, but not after its end.
      let moment = signature.provenTime ?? validator.moment
      guard let signer = signature.chain.last, signer.notBefore <= moment,
        moment <= signer.notAfter
      else {
        throw .notSealed("the operator's certificate is not valid at \(moment).")
      }
    }
    guard list.issued <= validator.moment.advanced(bySeconds: validator.limits.clockSkewSeconds)
    else { throw .notSealed("it is of \(list.issued), which is in the future.") }
  }
}
