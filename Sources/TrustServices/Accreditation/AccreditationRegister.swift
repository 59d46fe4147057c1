/// The register of an accrediting body: a journal to which steps are added and in which nothing is
/// ever changed, and what it says.
///
/// ```swift
/// let register = try AccreditationRegister(folder: "accreditation/journal", signer: signer)
/// try await register.append(AccreditationRecord(time: now, actor: "sato", reason: "…", step: …))
/// let head = try register.note()   // to be kept by others
/// ```
public struct AccreditationRegister: Sendable {
  /// The name of the log whose heads the register's lists carry.
  public var origin: String { signer.verifier.name }
  private let journal: Journal
  private let signer: LogSigner
  /// What the register says.
  public private(set) var contents: AccreditationContents

  /// Opens the register of a folder for writing; nobody else writes meanwhile.
  public init(folder: String, signer: LogSigner) throws {
    journal = try Journal(folder: folder)
    self.signer = signer
    var contents = AccreditationContents()
    let head = journal.head
    for index in 0..<head.size {
      try Self.read(try journal.record(index), index, into: &contents)
    }
    self.contents = contents
  }

  /// What a register of a folder says, read beside whoever writes it.
  public static func contents(folder: String) throws -> (
    contents: AccreditationContents, records: [AccreditationRecord]
  ) {
    let reader = try JournalReader(folder: folder)
    var contents = AccreditationContents()
    var records: [AccreditationRecord] = []
    for index in 0..<reader.size {
      records.append(try read(try reader.record(index), index, into: &contents))
    }
    return (contents, records)
  }

  @discardableResult
  static func read(_ line: [UInt8], _ index: UInt64, into contents: inout AccreditationContents)
    throws(AccreditationError) -> AccreditationRecord
  {
    guard let record = AccreditationRecord(line) else {
      throw .brokenRecord(index, "it cannot be read.")
    }
    do throws(AccreditationError) { try contents.apply(record) } catch {
      throw .brokenRecord(index, error.description)
    }
    return record
  }

  /// Adds a step where the rules allow it; it is on the disk when this returns its number.
  @discardableResult
  public mutating func append(_ record: AccreditationRecord) async throws -> UInt64 {
    var next = contents
    try next.apply(record)
    let index = try await journal.append(try record.encoded)
    contents = next
    return index
  }

  /// The head over everything in it.
  public var head: JournalHead { journal.head }

  /// The head, signed.
  public func note() throws -> String { try signer.note(journal.head) }
}
