import GRDB
public import Store

extension TelescopeStore {
  /// The telescope's own tables.
  public static let migrations: [StoreMigration] = [
    StoreMigration(id: "telescope-001") { database in
      try database.execute(
        sql: """
          CREATE TABLE telescope_inputs (
            digest TEXT PRIMARY KEY, name TEXT NOT NULL, readAt INTEGER NOT NULL,
            firstPacket INTEGER, lastPacket INTEGER, packets INTEGER NOT NULL, ending TEXT NOT NULL
          ) WITHOUT ROWID;
          CREATE TABLE telescope_progress (
            id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL,
            counters TEXT NOT NULL, now INTEGER
          );
          CREATE TABLE telescope_series (
            resolution INTEGER NOT NULL, start INTEGER NOT NULL, dimension TEXT NOT NULL,
            key TEXT NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL, hosts REAL NOT NULL,
            PRIMARY KEY (resolution, dimension, start, key)
          ) WITHOUT ROWID;
          CREATE TABLE telescope_hosts (
            address BLOB NOT NULL, firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL,
            verdict TEXT NOT NULL, confidence INTEGER NOT NULL, packets INTEGER NOT NULL,
            destinations REAL NOT NULL, rate REAL NOT NULL, country TEXT NOT NULL,
            asn INTEGER NOT NULL, tool TEXT, malware TEXT, text TEXT NOT NULL,
            document TEXT NOT NULL, PRIMARY KEY (address, firstSeen)
          ) WITHOUT ROWID;
          CREATE INDEX telescope_hosts_by_verdict ON telescope_hosts (verdict, lastSeen);
          CREATE INDEX telescope_hosts_by_time ON telescope_hosts (lastSeen);
          CREATE TABLE telescope_victims (
            victim BLOB NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
            packets INTEGER NOT NULL, peak INTEGER NOT NULL, rate REAL NOT NULL,
            country TEXT NOT NULL, asn INTEGER NOT NULL, isClosed INTEGER NOT NULL,
            text TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (victim, start)
          ) WITHOUT ROWID;
          CREATE INDEX telescope_victims_by_time ON telescope_victims (end);
          CREATE TABLE telescope_alerts (
            organisation TEXT NOT NULL, address BLOB NOT NULL, reach TEXT NOT NULL,
            firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL, packets INTEGER NOT NULL,
            state TEXT NOT NULL, text TEXT NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (organisation, address, reach, firstSeen)
          ) WITHOUT ROWID;
          CREATE TABLE telescope_campaigns (
            subject TEXT NOT NULL, key TEXT NOT NULL, began INTEGER NOT NULL,
            lastSeen INTEGER NOT NULL, isOver INTEGER NOT NULL, peakSources REAL NOT NULL,
            baseline REAL NOT NULL, deviations REAL NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (subject, key, began)
          ) WITHOUT ROWID;
          CREATE TABLE telescope_events (
            source BLOB NOT NULL, port INTEGER NOT NULL, class TEXT NOT NULL,
            firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL, packets INTEGER NOT NULL,
            bytes INTEGER NOT NULL, destinations REAL NOT NULL, blocks REAL NOT NULL,
            rate REAL NOT NULL, rateLower REAL NOT NULL, rateUpper REAL NOT NULL,
            country TEXT NOT NULL, asn INTEGER NOT NULL, tools TEXT NOT NULL, samples BLOB NOT NULL,
            isClosed INTEGER NOT NULL, PRIMARY KEY (source, port, class, firstSeen)
          ) WITHOUT ROWID;
          CREATE INDEX telescope_events_by_time ON telescope_events (lastSeen);
          """)
    },
    // Events go to the archive, whose files the database names. Rows of before are moved by the first
    // `TelescopeStore` that opens the database, since a migration knows no files.
    StoreMigration(id: "telescope-002") { database in
      try database.execute(sql: EventFile.tableSQL)
      let isFilled = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM \(TelescopeStore.formerTable))")
      if isFilled != true {
        try database.execute(sql: "DROP TABLE \(TelescopeStore.formerTable)")
      }
    },
  ]
}
