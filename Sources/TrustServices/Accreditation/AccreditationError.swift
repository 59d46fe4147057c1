/// Why the register does not take a step, or cannot be read.
public enum AccreditationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The register holds nothing yet, or holds something already.
  case notOpened
  case alreadyOpened
  case unknownScheme(String)
  case unknownProvider(String)
  case unknownService(String)
  /// A part of a record is wrong: what, and why.
  case wrong(String, String)
  /// A step that the service's stage does not allow.
  case notAllowed(service: String, step: String, stage: String, advice: String)
  /// A record of the journal that is none, or breaks the rules.
  case brokenRecord(UInt64, String)

  public var description: String {
    switch self {
    case .notOpened: "The register is empty. `noroshi accreditation init` opens it."
    case .alreadyOpened: "The register was opened before. Its operator stays the same."
    case .unknownScheme(let id): "There is no scheme \(id). `noroshi accreditation scheme` adds it."
    case .unknownProvider(let id):
      "There is no provider \(id). `noroshi accreditation provider` adds it."
    case .unknownService(let id):
      "There is no service \(id). `noroshi accreditation services` lists them."
    case .wrong(let what, let why): "\(what): \(why). Correct it and try again."
    case .notAllowed(let service, let step, let stage, let advice):
      "\(service) cannot be \(step): it is \(stage). \(advice)"
    case .brokenRecord(let index, let why):
      "Record \(index) of the register is not one that it could have taken: \(why)"
    }
  }
}
