import AsyncHTTPClient
import NIOCore

/// Makes the tables of a cluster by its servers' HTTP ports.
public enum ClusterTables {
  /// Runs a definition's statements on every server of the address, in the words of each server's version;
  /// what is there is left alone.
  ///
  /// - Parameter definition: its version does not matter here.
  /// - Throws: ``ClusterError`` of the first server that refuses.
  public static func make(
    _ definition: ClusterDefinition, on address: ClusterAddress
  ) async throws(ClusterError) {
    let client = ClusterConnection.client(connectSeconds: 5)
    var failure: ClusterError?
    servers: for server in address.shards.joined() {
      let connection = ClusterConnection(server: server, address: address, client: client)
      do throws(ClusterError) {
        try await make(definition, connection)
      } catch {
        failure = error
        break servers
      }
    }
    // Nothing is in flight any more; a failure to close connections changes nothing.
    try? await client.shutdown()
    if let failure { throw failure }
  }

  private static func make(
    _ definition: ClusterDefinition, _ connection: ClusterConnection
  ) async throws(ClusterError) {
    guard
      let text = try await connection.rows("SELECT version()", seconds: 15).first?.first,
      let version = ClusterDefinition.Version(text)
    else {
      throw .badReply(server: "\(connection.server)", reason: "it does not say its version")
    }
    var definition = definition
    definition.version = version
    for statement in definition.statements {
      _ = try await connection.send(body: ByteBuffer(string: statement), seconds: 60)
    }
  }
}
