import GRDB
public import NetworkTypes
public import Store

/// The people who may sign in, with their sessions and bearer tokens.
public final class Accounts: Sendable {
  let store: DataStore
  var database: any DatabaseWriter { store.writer }
  let parameters: PortalParameters
  let bench: PasswordBench
  let throttle: SignInThrottle
  let journal: Journal
  let now: @Sendable () -> Timestamp

  /// Brings the tables up to date.
  ///
  /// - Parameters:
  ///   - trail: takes what must be remembered: who signed in, who failed, what was changed.
  ///   - now: the wall clock.
  public convenience init(
    store: DataStore, trail: AuditTrail, parameters: PortalParameters = PortalParameters(),
    now: @escaping @Sendable () -> Timestamp
  ) throws {
    try store.migrate(AuditTrail.migrations)
    try self.init(
      store: store, parameters: parameters, journal: .live(trail, in: store, now: now), now: now)
  }

  init(
    store: DataStore, parameters: PortalParameters, journal: Journal,
    now: @escaping @Sendable () -> Timestamp
  ) throws {
    try store.migrate(Self.migrations)
    self.store = store
    self.parameters = parameters
    self.journal = journal
    self.now = now
    bench = PasswordBench(parameters: parameters)
    throttle = SignInThrottle(parameters: parameters)
  }

  /// The tables of accounts, sessions and bearer tokens.
  public static let migrations = [StoreMigration(id: "portal-001", body: tables)]

  private static func tables(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE portal_accounts (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE COLLATE NOCASE,
          role TEXT NOT NULL CHECK (role IN ('administrator', 'analyst', 'isp')),
          organisation TEXT CHECK ((role = 'isp') = (organisation IS NOT NULL)),
          password TEXT NOT NULL,
          language TEXT, zone TEXT,
          created INTEGER NOT NULL, last_sign_in INTEGER,
          disabled INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE portal_sessions (
          token_hash BLOB PRIMARY KEY,
          account INTEGER NOT NULL REFERENCES portal_accounts (id) ON DELETE CASCADE,
          created INTEGER NOT NULL, last_used INTEGER NOT NULL, address TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX portal_sessions_by_account ON portal_sessions (account);
        CREATE TABLE portal_tokens (
          id INTEGER PRIMARY KEY,
          token_hash BLOB NOT NULL UNIQUE,
          account INTEGER NOT NULL REFERENCES portal_accounts (id) ON DELETE CASCADE,
          label TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
          last_used INTEGER
        ) STRICT;
        """)
  }

  // The scalar columns are listed once, in the order that `account(_:)` reads.
  private static let select = """
    SELECT id, name, role, organisation, language, zone, created, last_sign_in, disabled
    FROM portal_accounts
    """

  static func account(_ row: Row) -> Account? {
    guard let role = Role(name: row["role"], organisation: row["organisation"]) else { return nil }
    let lastSignIn: Int64? = row["last_sign_in"]
    return Account(
      id: row["id"], name: row["name"], role: role, language: row["language"], zone: row["zone"],
      created: Timestamp(seconds: row["created"]),
      lastSignIn: lastSignIn.map { Timestamp(seconds: $0) }, isDisabled: row["disabled"])
  }

  /// Everybody, by name.
  public func all() async throws -> [Account] {
    try await database.read { db in
      try Row.fetchAll(db, sql: Self.select + " ORDER BY name COLLATE NOCASE")
        .compactMap { Self.account($0) }
    }
  }

  /// The account of that name, in any case.
  public func account(named name: String) async throws -> Account? {
    try await database.read { db in
      try Row.fetchOne(db, sql: Self.select + " WHERE name = ? COLLATE NOCASE", arguments: [name])
        .flatMap { Self.account($0) }
    }
  }

  func account(id: Int64) async throws -> Account? {
    try await database.read { db in
      try Row.fetchOne(db, sql: Self.select + " WHERE id = ?", arguments: [id])
        .flatMap { Self.account($0) }
    }
  }

  /// Makes an account that can sign in at once.
  /// - Parameter actor: who does it, for the audit trail.
  /// - Throws: ``AccountError``.
  @discardableResult
  public func create(name: String, password: String, role: Role, actor: String = "command-line")
    async throws -> Account
  {
    guard Self.isName(name) else { throw AccountError.nameInvalid(name) }
    try check(password, for: name)
    guard try await account(named: name) == nil else { throw AccountError.nameTaken(name) }
    let hash = try await bench.hash(password)
    let created = now()
    let id = try await database.write { db -> Int64? in
      try db.execute(
        sql: """
          INSERT OR IGNORE INTO portal_accounts (name, role, organisation, password, created)
          VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [name, role.name, role.organisation, hash.text, created.seconds])
      return db.changesCount == 1 ? db.lastInsertedRowID : nil
    }
    guard let id else { throw AccountError.nameTaken(name) }
    await journal.record(actor, "account.created", name, ["role": role.description])
    return Account(
      id: id, name: name, role: role, language: nil, zone: nil, created: created, lastSignIn: nil,
      isDisabled: false)
  }

  /// Sets a new password and ends every session of the account.
  /// - Throws: ``AccountError``.
  public func setPassword(of name: String, to password: String, actor: String = "command-line")
    async throws
  {
    guard let account = try await account(named: name) else {
      throw AccountError.noSuchAccount(name)
    }
    try check(password, for: account.name)
    let hash = try await bench.hash(password)
    try await database.write { db in
      try db.execute(
        sql: "UPDATE portal_accounts SET password = ? WHERE id = ?",
        arguments: [hash.text, account.id])
      try db.execute(
        sql: "DELETE FROM portal_sessions WHERE account = ?", arguments: [account.id])
    }
    throttle.succeeded(account: account.name)
    await journal.record(actor, "account.password-set", account.name, [:])
  }

  /// Keeps an account from signing in, ending its sessions, or lets it again.
  /// - Throws: ``AccountError``; the last administrator cannot be disabled.
  public func setDisabled(_ isDisabled: Bool, name: String, actor: String = "command-line")
    async throws
  {
    guard let account = try await account(named: name) else {
      throw AccountError.noSuchAccount(name)
    }
    let isDone = try await database.write { db -> Bool in
      let others = try Int.fetchOne(
        db,
        sql: """
          SELECT count(*) FROM portal_accounts
          WHERE role = 'administrator' AND disabled = 0 AND id <> ?
          """, arguments: [account.id])
      if isDisabled, account.role == .administrator, others == 0 { return false }
      try db.execute(
        sql: "UPDATE portal_accounts SET disabled = ? WHERE id = ?",
        arguments: [isDisabled, account.id])
      if isDisabled {
        try db.execute(
          sql: "DELETE FROM portal_sessions WHERE account = ?", arguments: [account.id])
      }
      return true
    }
    guard isDone else { throw AccountError.lastAdministrator }
    await journal.record(
      actor, isDisabled ? "account.disabled" : "account.enabled", account.name, [:])
  }

  func setPreferences(of account: Account, language: Language, zone: Zone) async throws {
    try await database.write { db in
      try db.execute(
        sql: "UPDATE portal_accounts SET language = ?, zone = ? WHERE id = ?",
        arguments: [language.rawValue, zone.rawValue, account.id])
    }
  }

  /// Whether the password is the account's; used before a change of it.
  func holds(_ account: Account, password: String) async throws -> Bool {
    guard password.count <= parameters.passwordMaximumLength else { return false }
    let stored = try await database.read { db in
      try String.fetchOne(
        db, sql: "SELECT password FROM portal_accounts WHERE id = ?", arguments: [account.id])
    }
    return try await bench.check(password, against: stored.flatMap { PasswordHash($0) })
  }

  private func check(_ password: String, for name: String) throws {
    guard password.count >= parameters.passwordMinimumLength else {
      throw AccountError.passwordTooShort(minimum: parameters.passwordMinimumLength)
    }
    guard password.count <= parameters.passwordMaximumLength else {
      throw AccountError.passwordTooLong(maximum: parameters.passwordMaximumLength)
    }
    guard password.lowercased() != name.lowercased() else { throw AccountError.passwordIsName }
  }

  private static func isName(_ name: String) -> Bool {
    let bytes = name.utf8
    guard (1...64).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else {
      return false
    }
    return bytes.allSatisfy { isAlphanumeric($0) || ".-_@".utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}

/// Where the portal writes what must be remembered; joined to the audit trail of the store.
struct Journal: Sendable {
  /// Actor, action, subject and further facts.
  let record: @Sendable (String, String, String, [String: String]) async -> Void
}
