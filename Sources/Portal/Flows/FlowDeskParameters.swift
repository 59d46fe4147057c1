/// The numbers that bound searches of flows from the portal. Where nothing else is said they are our own
/// choice: one person's mistake must not take the machine from the others.
public struct FlowDeskParameters: Sendable {
  /// Searches at a time; each uses all processors but one.
  public var running = 2
  /// Searches that wait for their turn.
  public var waiting = 16
  /// Searches of one account, running and waiting.
  public var perAccount = 3
  /// After which a search is given up: people wait no longer, programs narrow down.
  public var seconds = 60.0
  /// How long a page waits for its search before it shows progress instead.
  public var patienceMilliseconds = 1_500
  /// How long, and how many, answers are kept for the page that waits for them.
  public var keptSeconds = 300.0
  public var kept = 64
  /// Memory of one search.
  public var memoryOctets = 512 << 20
  /// What one search may write to its temporary file.
  public var spillOctets = 4 << 30
  /// Rows that can be reached by paging; the rest by an export or a narrower filter.
  public var depth = 10_000
  /// The largest Parquet file that is exported.
  public var exportOctets = 256 << 20
  /// Characters of a purpose and of a filter, which travel in addresses.
  public var purposeLength = 500
  public var filterLength = 8_000
  /// Bins of a time series: as many as can be told apart on a desk.
  public var bins: Int64 = 120
  /// Sessions whose purpose is remembered.
  public var remembered = 1_000

  public init() {}
}
