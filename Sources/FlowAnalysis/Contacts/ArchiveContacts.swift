public import FlowArchive

extension ContactTracker {
  /// Takes in the flows of an archive, through a search that is told to the audit trail like any other.
  /// Gives back how many flows there were.
  ///
  /// - Throws: ``ArchiveError``, or what the search's audit throws.
  @discardableResult
  public func add(_ search: FlowSearch, _ query: FlowQuery) throws -> Int {
    try search.forEachBatch(query) { add($0) }
  }
}
