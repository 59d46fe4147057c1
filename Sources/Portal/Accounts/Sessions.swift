import Foundation
import GRDB
import NetworkTypes

/// A signed-in browser.
struct Session: Sendable {
  /// What the cookie holds; the database holds its hash only.
  let token: String

  /// What every form of this session carries back, so that no other site can send one.
  var formToken: String { Secret.derived(from: token, for: "noroshi form") }
}

/// A bearer token as it is listed; its secret was shown once, when it was made.
struct BearerToken: Sendable {
  let id: Int64
  let label: String
  let created: Timestamp
  let expires: Timestamp
  let lastUsed: Timestamp?
}

extension Accounts {
  enum SignIn: Sendable {
    case signedIn(Viewer)
    case refused
    case tooMany
  }

  /// Checks a password and begins a session; wrong names and wrong passwords take the same time and
  /// get the same answer.
  func signIn(name: String, password: String, address: String?) async throws -> SignIn {
    let moment = now()
    // Names are cut before they are remembered: the throttle's memory is bounded in entries.
    let shown = String(name.prefix(64))
    guard throttle.admits(account: shown, address: address, now: moment) else {
      return .tooMany
    }
    let found = try await database.read { db -> (Account, String)? in
      try Row.fetchOne(
        db, sql: "SELECT * FROM portal_accounts WHERE name = ? COLLATE NOCASE", arguments: [name]
      ).flatMap { row in Self.account(row).map { ($0, row["password"]) } }
    }
    let isRight =
      password.count <= parameters.passwordMaximumLength
      ? try await bench.check(password, against: found.flatMap { PasswordHash($0.1) }) : false
    guard let account = found?.0, isRight, !account.isDisabled else {
      let isClosing = throttle.failed(account: shown, address: address, now: moment)
      await journal.record(shown, "account.sign-in-failed", shown, ["address": address ?? ""])
      // Once, not for each further attempt: whoever guesses must not be able to fill the trail.
      if isClosing {
        await journal.record(shown, "account.sign-in-throttled", shown, ["address": address ?? ""])
      }
      return .refused
    }
    throttle.succeeded(account: account.name)
    let token = Secret.token()
    let oldest = moment.seconds - parameters.sessionSeconds
    try await database.write { db in
      try db.execute(sql: "DELETE FROM portal_sessions WHERE created < ?", arguments: [oldest])
      try db.execute(
        sql: """
          INSERT INTO portal_sessions (token_hash, account, created, last_used, address)
          VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [
          Data(token.hash), account.id, moment.seconds, moment.seconds, address,
        ])
      try db.execute(
        sql: "UPDATE portal_accounts SET last_sign_in = ? WHERE id = ?",
        arguments: [moment.seconds, account.id])
    }
    await journal.record(
      account.name, "account.signed-in", account.name, ["address": address ?? ""])
    return .signedIn(Viewer(account: account, session: Session(token: token.text)))
  }

  /// The viewer behind a cookie; nil when the session has ended, by idleness or by age.
  func viewer(session token: String) async throws -> Viewer? {
    guard token.utf8.count == 64 else { return nil }
    let hash = Data(Secret.hash(token))
    let moment = now().seconds
    let found = try await database.read { db -> (Account, begun: Int64, used: Int64)? in
      try Row.fetchOne(
        db,
        sql: """
          SELECT a.*, s.created AS begun, s.last_used AS used FROM portal_sessions s
          JOIN portal_accounts a ON a.id = s.account WHERE s.token_hash = ? AND a.disabled = 0
          """, arguments: [hash]
      ).flatMap { row in Self.account(row).map { ($0, row["begun"], row["used"]) } }
    }
    guard let (account, begun, used) = found else { return nil }
    guard moment - begun < parameters.sessionSeconds,
      moment - used < parameters.sessionIdleSeconds
    else {
      try await end(session: token)
      return nil
    }
    // Once a minute is often enough, and keeps reading pages from writing.
    if moment - used >= 60 {
      try await database.write { db in
        try db.execute(
          sql: "UPDATE portal_sessions SET last_used = ? WHERE token_hash = ?",
          arguments: [moment, hash])
      }
    }
    return Viewer(account: account, session: Session(token: token))
  }

  func end(session token: String) async throws {
    let hash = Data(Secret.hash(token))
    try await database.write { db in
      try db.execute(sql: "DELETE FROM portal_sessions WHERE token_hash = ?", arguments: [hash])
    }
  }
}

extension Accounts {
  /// The viewer behind a bearer token (RFC 6750).
  func viewer(bearer token: String) async throws -> Viewer? {
    guard token.hasPrefix(Self.tokenPrefix), token.utf8.count == Self.tokenPrefix.utf8.count + 64
    else { return nil }
    let hash = Data(Secret.hash(token))
    let moment = now().seconds
    let found = try await database.read { db -> (Account, used: Int64?)? in
      try Row.fetchOne(
        db,
        sql: """
          SELECT a.*, t.last_used AS used FROM portal_tokens t
          JOIN portal_accounts a ON a.id = t.account
          WHERE t.token_hash = ? AND t.expires > ? AND a.disabled = 0
          """, arguments: [hash, moment]
      ).flatMap { row in Self.account(row).map { ($0, row["used"]) } }
    }
    guard let (account, used) = found else { return nil }
    if moment - (used ?? 0) >= 60 {
      try await database.write { db in
        try db.execute(
          sql: "UPDATE portal_tokens SET last_used = ? WHERE token_hash = ?",
          arguments: [moment, hash])
      }
    }
    return Viewer(account: account, session: nil)
  }

  /// So that secret scanners and people recognise one.
  static let tokenPrefix = "noroshi_"

  /// Makes a bearer token; what is returned is never shown again.
  /// - Throws: ``AccountError`` when the account has as many as it may have.
  func makeToken(for account: Account, label: String) async throws -> String {
    let token = Secret.token(prefix: Self.tokenPrefix)
    let moment = now().seconds
    let (limit, expires) = (parameters.tokensPerAccount, moment + parameters.tokenSeconds)
    let name = String(label.prefix(100))
    let isMade = try await database.write { db -> Bool in
      try db.execute(
        sql: "DELETE FROM portal_tokens WHERE account = ? AND expires <= ?",
        arguments: [account.id, moment])
      let count = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM portal_tokens WHERE account = ?", arguments: [account.id])
      guard count ?? 0 < limit else { return false }
      try db.execute(
        sql: """
          INSERT INTO portal_tokens (token_hash, account, label, created, expires)
          VALUES (?, ?, ?, ?, ?)
          """, arguments: [Data(token.hash), account.id, name, moment, expires])
      return true
    }
    guard isMade else { throw AccountError.tooManyTokens(limit: limit) }
    await journal.record(account.name, "account.token-made", account.name, ["label": name])
    return token.text
  }

  func tokens(of account: Account) async throws -> [BearerToken] {
    try await database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM portal_tokens WHERE account = ? ORDER BY id",
        arguments: [account.id]
      ).map { row in
        let lastUsed: Int64? = row["last_used"]
        return BearerToken(
          id: row["id"], label: row["label"], created: Timestamp(seconds: row["created"]),
          expires: Timestamp(seconds: row["expires"]),
          lastUsed: lastUsed.map { Timestamp(seconds: $0) })
      }
    }
  }

  /// Ends a token of the account; one of another account's is left alone.
  func revokeToken(_ id: Int64, of account: Account) async throws {
    let isDone = try await database.write { db -> Bool in
      try db.execute(
        sql: "DELETE FROM portal_tokens WHERE id = ? AND account = ?",
        arguments: [id, account.id])
      return db.changesCount == 1
    }
    guard isDone else { throw Problem.notFound }
    await journal.record(
      account.name, "account.token-revoked", account.name, ["token": String(id)])
  }
}
