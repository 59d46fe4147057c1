/// What one client's dealings with one service say.
struct PairEvidence {
  var pair: Int
  var client: Int
  var service: Int
  var portClass: PortClass
  var isInbound: Bool
  var periodic = 0.0
  /// Decades that ``periodic`` rests on; nil where there were too few contacts to look for a rhythm.
  var rhythm: Double?
  /// Seconds; 0 for none.
  var period = 0.0
  var sameSize = 0.0
  var persistent = 0.0
  var longSession = 0.0
  var scanTarget = 0.0
  /// Whether it looks like one of many: it comes back often and alike.
  var isRegular = false
}
