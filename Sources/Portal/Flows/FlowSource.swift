public import FlowArchive
public import FlowRecords
import GRDB
public import NetworkTypes
import Store

/// Where the portal finds flows, and how collecting them goes.
public struct FlowSource: Sendable {
  /// The folder of the archive; it need not be there yet.
  public var archive: String
  /// Where flows lie in place of the archive.
  public var remote: RemoteFlows?
  /// What the collector last said about itself; nil when none has run.
  public var collector: @Sendable () throws -> FlowCollectorReport?

  public init(
    archive: String, remote: RemoteFlows? = nil,
    collector: @escaping @Sendable () throws -> FlowCollectorReport?
  ) {
    self.archive = archive
    self.remote = remote
    self.collector = collector
  }

  /// From when to when there are flows; nil where there are none, or nobody answers. Blocks its thread.
  func span(now: Timestamp) -> FlowSpan? {
    guard let remote else { return FlowSpan.read(archive, now: now) }
    guard let range = try? remote.span() else { return nil }
    return FlowSpan(
      first: range.lowerBound, last: max(range.lowerBound, min(range.upperBound, now)), octets: nil)
  }

  /// Answers a query; of `search`, what it says of purpose, limits, progress and cancelling counts.
  func run(_ query: FlowQuery, _ search: FlowSearch) throws -> FlowQueryResult {
    guard let remote else { return try search.run(query) }
    return try remote.run(query, search)
  }
}

/// Flows that lie elsewhere than in the archive, asked with the same queries.
public struct RemoteFlows: Sendable {
  /// From when to when there are flows; nil when there are none. Blocks its thread.
  public var span: @Sendable () throws -> ClosedRange<Timestamp>?
  /// Answers a query as the search's `run` would, audit included. Blocks its thread.
  public var run: @Sendable (FlowQuery, FlowSearch) throws -> FlowQueryResult

  public init(
    span: @escaping @Sendable () throws -> ClosedRange<Timestamp>?,
    run: @escaping @Sendable (FlowQuery, FlowSearch) throws -> FlowQueryResult
  ) {
    self.span = span
    self.run = run
  }
}

/// What a collector said about itself, as `noroshi flows exporters` shows it.
public struct FlowCollectorReport: Sendable {
  public var written: Timestamp
  public var statistics: CollectorStatistics
  /// Flows that the archive refused because the disk was too slow, and flows that it could not write.
  public var dropped: Int
  public var lost: Int
  /// Why it could not write them.
  public var lastError: String?

  public init(
    written: Timestamp, statistics: CollectorStatistics, dropped: Int = 0, lost: Int = 0,
    lastError: String? = nil
  ) {
    self.written = written
    self.statistics = statistics
    self.dropped = dropped
    self.lost = lost
    self.lastError = lastError
  }
}

/// Who searches, why, and by which door.
struct FlowAsker: Sendable, Equatable {
  /// `page`, `api`, or the format of an export.
  var way: String
  var account: Account
  var purpose: String
  /// The visitor's address.
  var address: String?
}

/// What the portal asks of flows: the archive, and a place in the audit trail for every search.
struct FlowReading: Sendable {
  var source: FlowSource
  /// Called from the thread that searches; when it throws, nothing is searched.
  var audit: @Sendable (SearchRecord, FlowAsker) throws -> Void
}

extension FlowReading {
  /// Into the audit trail; a search whose line cannot be written is not done.
  static func live(
    _ source: FlowSource, trail: AuditTrail, store: DataStore,
    now: @escaping @Sendable () -> Timestamp
  ) -> FlowReading {
    FlowReading(source: source) { record, asker in
      let entry = AuditEntry(
        nanoseconds: now().nanoseconds, actor: .user(asker.account.name),
        action: "flows.search.\(record.stage.rawValue)", subject: record.archive,
        details: record.details(of: asker))
      try store.writer.write { db in _ = try trail.append(entry, in: db) }
    }
  }
}

extension SearchRecord {
  /// For the audit trail: what was asked, by whom and why, and what came of it.
  func details(of asker: FlowAsker) -> [String: String] {
    var details = ["purpose": purpose, "kind": kind, "filter": filter, "way": asker.way]
    details["address"] = asker.address
    details["from"] = from
    details["to"] = to
    details["failure"] = failure
    if stage == .ended {
      details["scanned"] = String(scanned)
      details["matched"] = String(matched)
      details["rows"] = String(rows)
    }
    return details
  }
}
