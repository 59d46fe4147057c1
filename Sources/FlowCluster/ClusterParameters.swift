/// The numbers that decide how flows go to a cluster, each with its reason.
public struct SinkParameters: Hashable, Sendable {
  /// Flows of an insert. ClickHouse asks for tens of thousands to a million ("at least 1,000 rows, or
  /// no more than a single request per second"); a quarter of its own largest block is about 35 MB.
  public var rowsPerBatch = 1 << 18
  /// Seconds after which received flows are in the spool at the latest: what a power failure or a kill
  /// may cost. As ``FlowArchive``'s.
  public var flushSeconds = 10.0
  /// Octets that the spool takes on the disk at most. At 100,000 flows/s and some 130 octets a flow it
  /// holds 27 minutes of outage.
  public var spoolOctets = 20 << 30
  /// Batches that are being filled or wait for the disk in memory, of some 35 MB each.
  public var blockCount = 6
  /// Days that are being filled at the same time; flows of more days make smaller batches. Two are
  /// open around midnight, a third for clocks that are off.
  public var openDays = 3
  /// Inserts at the same time into one shard: one is parsed while the other is sent.
  public var insertsPerShard = 2
  /// Seconds for connecting.
  public var connectSeconds = 5.0
  /// Seconds for an insert. Our own choice: a merge-bound server takes some seconds.
  public var insertSeconds = 120.0
  /// Seconds before the first repetition; doubled each time up to ``longestDelaySeconds``.
  public var firstDelaySeconds = 0.5
  public var longestDelaySeconds = 30.0
  /// Flows that ended further from the clock than this, or lasted longer, are filed under the clock's
  /// day and marked irregular: an exporter with a wrong clock makes no partitions of 1970 or 2106.
  public var clockToleranceSeconds: Int64 = 86_400

  /// The values above.
  public init() {}
}

/// The numbers that bound a search on a cluster.
public struct ClusterSearchParameters: Hashable, Sendable {
  /// Octets that an answer may take here.
  public var memoryOctets = 512 << 20
  /// Octets that the server may take for the search; nil for what its own profile allows.
  public var serverMemoryOctets: Int?
  /// Octets from which on the server puts groups on its disk; nil for its own profile's.
  public var serverSpillOctets: Int?
  /// Seconds of the whole search, here and as `max_execution_time` there.
  public var seconds = 3_600
  /// Seconds for connecting.
  public var connectSeconds = 5.0
  /// Flows of which a statement that groups all of them asks at a time, about: each takes the server some
  /// hundred octets, and there are up to as many groups in the answer.
  public var flowsPerPart = 2_000_000
  /// Seconds between two looks at how far the server is.
  public var progressSeconds = 0.5

  /// The values above.
  public init() {}
}
