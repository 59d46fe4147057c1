import Foundation

/// Where the password of a new account comes from.
enum Password {
  /// 20 letters and digits that are not mistaken for each other: 32²⁰ = 2¹⁰⁰ of them.
  static func generated() -> String {
    let letters = Array("abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ".prefix(32))
    var random = SystemRandomNumberGenerator()
    var text = ""
    for index in 0..<20 {
      if index > 0, index % 5 == 0 { text += "-" }
      text.append(letters[Int.random(in: 0..<letters.count, using: &random)])
    }
    return text
  }

  /// The password from `NOROSHI_PASSWORD`, or typed twice at the terminal; an empty line, or no
  /// terminal, has one made, which the caller has to show.
  static func obtain(for name: String) throws -> (password: String, isGenerated: Bool) {
    let environment = ProcessInfo.processInfo.environment
    if let given = environment["NOROSHI_PASSWORD"], !given.isEmpty { return (given, false) }
    guard
      let first = Terminal.secret(prompt: "Password for \(name) (empty: one is made): "),
      !first.isEmpty
    else { return (generated(), true) }
    guard Terminal.secret(prompt: "The same again: ") == first else {
      throw CommandFailure(
        "The two passwords differ", advice: "Run the command again.", status: .badData)
    }
    return (first, false)
  }
}
