/// The numbers that decide about fingerprints, each with its source.
public struct FingerprintParameters: Sendable {
  /// Rules that one set can hold: one bit each in the mask that a packet gets.
  @inlinable public static var maximumRules: Int { 64 }
  /// Of those, rules that consist of behaviours alone; they have the mask's highest bits.
  ///
  /// Our own choice: one such rule is known (unicornscan).
  @inlinable public static var maximumWholeSourceRules: Int { 8 }
  /// The mask bit of the first of them, and the number of rules about single packets that fit.
  @inlinable public static var firstWholeSourceBit: Int { maximumRules - maximumWholeSourceRules }
  /// Distinct TCP option layouts in one set. Our own choice: the standard rules use seven.
  @inlinable public static var maximumOptionLayouts: Int { 64 }
  /// Packets that must match before a tool is named.
  ///
  /// The formulas hit by chance once in 2^16 packets (masscan, ZMap) or less, so three in a row are
  /// a chance of 2^-48. Merit's darknet-events also takes three samples.
  @inlinable public static var minimumPackets: Int { 3 }
  /// Share of a source's probes that must match. Our own choice: it leaves room for a second
  /// program behind the same address (NAT).
  @inlinable public static var share: Double { 0.8 }
  /// How far, in seconds, a ZMap timestamp option may be from the capture's clock.
  ///
  /// ZMap writes `time(NULL)`. An hour allows for badly set clocks, and a random 32-bit value falls
  /// into it once in 600,000 packets.
  @inlinable public static var timestampTolerance: UInt32 { 3600 }
  /// The smallest `minimum-packets` that a rule may ask for: a tool is never named on one packet.
  @inlinable public static var smallestMinimum: Int { 2 }
}
