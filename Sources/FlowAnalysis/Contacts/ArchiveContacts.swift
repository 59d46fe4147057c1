public import FlowArchive
import FlowRecords

extension ContactTracker {
  /// Takes in the flows of an archive, through a search that is told to the audit trail like any other.
  /// Gives back how many flows there were.
  ///
  /// They come in the order in which a live stream would have brought them, row group by row group, so
  /// that the pieces of a session that an exporter cut find each other.
  ///
  /// - Parameter afterBatch: is called between batches, for what must not wait for the end.
  /// - Throws: ``ArchiveError``, or what the search's audit throws.
  @discardableResult
  public func add(
    _ search: FlowSearch, _ query: FlowQuery, afterBatch: () -> Void = {}
  ) throws -> Int {
    try search.forEachBatch(query, columns: Orientation.columns) { batch in
      add(batch)
      afterBatch()
    }
  }
}

extension Orientation {
  /// What a contact is made of.
  static let columns: [FlowColumn] = [
    .start, .end, .sourceAddress, .destinationAddress, .sourcePort, .destinationPort, .transport,
    .tcpFlags, .packets, .bytes, .reversePackets, .reverseBytes, .samplingRate,
  ]
}
