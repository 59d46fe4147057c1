/// Why the telescope cannot go on. Each case ends in what the operator can do.
public enum TelescopeError: Error, Hashable, CustomStringConvertible {
  case noDarkSpace(seen: [String])
  case damagedCheckpoint(String)
  case foreignCheckpoint(String)
  case storage(String)
  case list(file: String, line: Int, String)

  public var description: String {
    switch self {
    case .noDarkSpace(let seen):
      "no dark networks are configured, so nothing says which packets belong to the telescope; "
        + "name them with --network or telescope.networks"
        + (seen.isEmpty ? "" : " (this capture's destinations: \(seen.joined(separator: ", ")))")
    case .damagedCheckpoint(let reason):
      "the telescope's checkpoint cannot be read, because \(reason); remove it to start with empty "
        + "tables (stored results stay), or restore it from a backup"
    case .foreignCheckpoint(let reason):
      "the telescope's checkpoint was written by another version of Noroshi (\(reason)); finish with "
        + "that version, or remove it to start with empty tables (stored results stay)"
    case .storage(let reason): reason
    case .list(let file, let line, let reason): "\(file):\(line): \(reason)"
    }
  }
}
