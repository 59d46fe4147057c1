/// Why an nfcapd file cannot be read.
public enum NfcapdError: Error, CustomStringConvertible, Equatable {
  case unreadable(path: String, reason: String)
  case notNfcapd(path: String)
  case oldLayout(path: String, version: Int)
  case otherByteOrder(path: String)
  case unsupportedCompression(path: String, name: String)
  case encrypted(path: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .notNfcapd(let path):
      "\(path): not a file of nfcapd or nfdump (it does not begin with their number); "
        + "check that it is the file meant"
    case .oldLayout(let path, let version):
      "\(path): layout \(version) of nfdump 1.6 and before; convert it with "
        + "`nfdump -r \(path) -w NEW` of nfdump 1.7, and read NEW"
    case .otherByteOrder(let path):
      "\(path): written on a machine of the other byte order; convert it there with "
        + "`nfdump -r \(path) -o csv`"
    case .unsupportedCompression(let path, let name):
      "\(path): compressed with \(name), which is not read; convert it with "
        + "`nfdump -r \(path) -y -w NEW`, and read NEW"
    case .encrypted(let path): "\(path): encrypted; write it without encryption, and read that"
    }
  }
}
