import Foundation
import Settings
import Testing

@Suite("The reference")
struct ReferenceTests {
  @Test("docs/configuration.md is what the program prints")
  func documentIsTrue() throws {
    let root = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let document = try String(
      contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    #expect(
      document == ConfigurationReference.markdown(),
      "make it again: noroshi config reference > docs/configuration.md")
  }

  @Test("every key has a sentence, and the default it names is right")
  func everyKeyIsExplained() {
    for key in ConfigurationKey.all {
      #expect(key.summary.hasSuffix("."), "\(key.path)")
      #expect(key.summary.count > 8)
    }
  }

  @Test("the sample file is read as every default, and with its comments removed as well")
  func sampleIsRight() throws {
    let sample = ConfigurationReference.sample(values: ["dataDirectory": "."], heading: "A\n\nB")
    var expected = NoroshiConfiguration()
    expected.dataDirectory = FilePath("/srv")
    let read = try ConfigurationReader.read(yaml: sample, named: "/srv/noroshi.yaml")
    #expect(read.values == expected)
    let all = sample.split(separator: "\n").map { line -> String in
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("#"), !text.hasPrefix("# "), text.count > 1 else { return String(line) }
      return String(line.prefix { $0 == " " }) + text.dropFirst()
    }.joined(separator: "\n")
    let uncommented = try ConfigurationReader.read(yaml: all, named: "/srv/noroshi.yaml")
    #expect(uncommented.values == expected)
    #expect(uncommented.origins.count == ConfigurationKey.all.count)
  }

  @Test("every default is written so that it reads back")
  func roundTrip() throws {
    for (text, value) in [("1GB", 1_000_000_000), ("512MiB", 512 << 20), ("1.5 GB", 1_500_000_000)]
    {
      let size = try #require(ByteSize.read(text, base: "/"))
      #expect(size.bytes == value)
      #expect(ByteSize.read(size.configurationText, base: "/") == size)
    }
    for text in ["90s", "10min", "2h", "14d", "1.5h"] {
      let span = try #require(TimeSpan.read(text, base: "/"))
      #expect(TimeSpan.read(span.configurationText, base: "/") == span)
    }
    #expect(TimeSpan.read("2 weeks", base: "/") == nil)
    #expect(ByteSize.read("GB", base: "/") == nil)
  }
}
