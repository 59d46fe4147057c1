import Foundation

/// Whether this machine's tz database knows the name. Abbreviations such as `JST` are refused, as
/// several zones share them.
func isTimeZone(_ name: String) -> Bool {
  guard name == "UTC" || name.contains("/") else { return false }
  return TimeZone(identifier: name) != nil
}
