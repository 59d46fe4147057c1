/// Where each thing lies in the one data directory.
struct DataDirectory: Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  /// Findings, cases, notices, users, audit trail, the telescope's results: one SQLite database.
  var database: String { path + "/noroshi.sqlite" }
  /// The organisations and what they answer for.
  var constituency: String { path + "/constituency.yaml" }
  /// What `noroshi geo import` made.
  var geo: String { path + "/geo.noroshi" }
  /// The telescope's tables between two readings.
  var telescope: String { path + "/telescope" }
  /// What the directory channel delivered.
  var notices: String { path + "/notices" }
  /// Flow records, by the hour.
  var flows: String { path + "/flows" }
  /// Ends of the audit trail that were time-stamped.
  var auditStamps: String { path + "/audit-stamps" }
  /// Flows that wait for a cluster.
  var flowSpool: String { path + "/flow-spool" }
  /// The templates that routers announced, over restarts of the collector.
  var flowTemplates: String { path + "/flow-templates.json" }
  /// What the collector last said about itself.
  var flowExporters: String { path + "/flow-exporters.json" }
  var configuration: String { path + "/noroshi.yaml" }
}
