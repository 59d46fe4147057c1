import NetworkTypes
import Settings
import Testing

private func problems(_ yaml: String) throws -> [String] {
  let error = try #require(throws: ConfigurationError.self) {
    try ConfigurationReader.read(yaml: yaml, named: "noroshi.yaml")
  }
  return error.problems.map(\.description)
}

@Suite("The file")
struct FileTests {
  @Test("an empty file, and one of comments only, is every default")
  func empty() throws {
    for text in ["", "# nothing\n", "portal:\n", "---\n...\n", "null"] {
      let read = try ConfigurationReader.read(yaml: text, named: "/x.yaml")
      #expect(read.values == NoroshiConfiguration())
    }
  }

  @Test(
    "a wrong key is refused with its place and the nearest right one",
    arguments: [
      (
        "portal:\n  prot: 1\n",
        "noroshi.yaml:2: portal.prot: there is no such key; did you mean portal.port?"
      ),
      ("potral: {}\n", "noroshi.yaml:1: potral: there is no such key; did you mean portal?"),
      (
        "telescope:\n  minimumPackets: 3\n",
        "noroshi.yaml:2: telescope.minimumPackets: there is no such key here; did you mean telescope.victims.minimumPackets?"
      ),
      ("port: 1\nlogging: {}", "noroshi.yaml:1: port: there is no such key; did you mean portal?"),
      (
        "metrics:\n\n  zzzzzzzzzzzz: 1\n",
        "noroshi.yaml:3: metrics.zzzzzzzzzzzz: there is no such key; below metrics there are open"
      ),
      (
        "telescope:\n  memorylimit: 1GB\n",
        "noroshi.yaml:2: telescope.memorylimit: there is no such key; did you mean telescope.memoryLimit?"
      ),
    ])
  func wrongKey(yaml: String, message: String) throws {
    #expect(try problems(yaml) == [message])
  }

  @Test(
    "a wrong value is refused with its place and what was expected",
    arguments: [
      (
        "portal:\n  port: 70000\n",
        "noroshi.yaml:2: portal.port: expected a whole number from 0 to 65535, not “70000”"
      ),
      (
        "portal:\n  port: [1]\n",
        "noroshi.yaml:2: portal.port: expected a whole number from 0 to 65535"
      ),
      (
        "portal: 8080\n",
        "noroshi.yaml:1: portal: expected keys below it (address, port, publicURL, secureCookies, trustedProxies, allowedHosts, language, sessionHours), not a value"
      ),
      (
        "telescope:\n  networks:\n    - 192.0.2.0/24\n    - 192.0.2.1/24\n",
        "noroshi.yaml:4: telescope.networks: expected a network such as 192.0.2.0/24 (its host bits zero), optionally with its owner: 192.0.2.0/24@example-isp, not “192.0.2.1/24”"
      ),
      (
        "telescope:\n  networks: 192.0.2.0/24\n",
        "noroshi.yaml:2: telescope.networks: expected a list, each a network such as 192.0.2.0/24 (its host bits zero), optionally with its owner: 192.0.2.0/24@example-isp ([a, b] or lines of `- a`)"
      ),
      (
        "telescope: {memoryLimit: 1}\n",
        "noroshi.yaml:1: telescope.memoryLimit: expected a size such as 1GB, 512MiB or 1000000 from 64MB to 1TB, not “1”"
      ),
      (
        "node: {roles: [king]}\n",
        "noroshi.yaml:1: node.roles: expected one of institute, isp, isac, peer, member, trainer, not “king”"
      ),
      (
        "notices: {dailyAt: 25:00}\n",
        "noroshi.yaml:1: notices.dailyAt: expected a time of day such as 09:00, not “25:00”"
      ),
      (
        "notices: {timeZone: JST}\n",
        "noroshi.yaml:1: notices.timeZone: expected a time zone of the tz database such as Asia/Tokyo or UTC, not “JST”"
      ),
      (
        "notices: {from: \"a@b\\nBcc: c@d\"}\n",
        "noroshi.yaml:1: notices.from: expected a mail address such as abuse@example.jp, or nothing, not “a@b\nBcc: c@d”"
      ),
      ("metrics: {open: maybe}\n", "noroshi.yaml:1: metrics.open: expected yes or no, not “maybe”"),
      ("- a\n", "noroshi.yaml:1: expected keys and values (`portal:` …)"),
    ])
  func wrongValue(yaml: String, message: String) throws {
    #expect(try problems(yaml) == [message])
  }

  @Test("everything that is wrong is said at once")
  func allProblems() throws {
    #expect(
      try problems("portal:\n  prot: 1\n  port: x\nsmtp:\n  username: u\n").count == 3)
  }

  @Test("what is no YAML is refused with its line")
  func noYAML() throws {
    let first = try #require(try problems("portal:\n  port: 1\n bad\n").first)
    #expect(first.hasPrefix("noroshi.yaml:"))
    #expect(first.contains("this is not YAML"))
    let twice = try #require(try problems("portal:\n  port: 1\n  port: 2\n").first)
    #expect(twice.contains("stands twice"))
  }

  @Test("hostile text never traps")
  func hostile() {
    let texts = [
      "telescope: {memoryLimit: 99999999999999999999TB}", "notices: {repeatDays: 1e999}",
      "telescope: {eventTimeout: 1e300d, threads: -1}", "? {a: b}\n: c", "&a [*a]", "!!binary x: y",
      "telescope: {networks: [\"@\", \"/\", \"::/129\"]}", "\u{feff}portal: {}", "\0", "{", "[",
      String(repeating: "[", count: 2_000), String(repeating: "k", count: 100_000) + ": 1",
    ]
    for text in texts {
      _ = try? ConfigurationReader.read(yaml: text, named: "x")
    }
  }

  @Test("relative paths of the file are relative to its folder, others to the working directory")
  func relativePaths() throws {
    let read = try ConfigurationReader.read(
      yaml: "dataDirectory: .\ngeo: {mmdb: [../geo/a.mmdb]}\n", named: "site/noroshi.yaml",
      environment: [
        "NOROSHI_TELESCOPE_FINGERPRINTS": "k.yaml", "NOROSHI_NOTICES_DIRECTORY": "/n",
      ],
      workingDirectory: "/srv")
    #expect(read.values.dataDirectory.path == "/srv/site")
    #expect(read.values.geo.mmdb.map(\.path) == ["/srv/geo/a.mmdb"])
    #expect(read.values.telescope.fingerprints?.path == "/srv/k.yaml")
    #expect(read.values.notices.directory?.path == "/n")
  }

  @Test("values that do not go together are refused or warned of")
  func together() throws {
    #expect(try problems("smtp: {passwordFile: p}")[0].contains("smtp.username beside it"))
    #expect(try problems("smtp: {host: mail}")[0].contains("expected notices.from"))
    let open = try ConfigurationReader.read(yaml: "portal: {address: 0.0.0.0}", named: "x")
    #expect(open.warnings.map(\.key) == ["portal.address"])
    let proxied = try ConfigurationReader.read(
      yaml: "portal: {address: 0.0.0.0, publicURL: \"https://n.example\"}", named: "x")
    #expect(proxied.warnings.isEmpty)
    #expect(try problems("flows: {enabled: yes, listen: []}")[0].contains("flows.listen or"))
    let everybody = try ConfigurationReader.read(yaml: "flows: {enabled: yes}", named: "x")
    #expect(everybody.warnings.map(\.key) == ["flows.allow"])
    for yaml in [
      "flows: {enabled: yes, allow: [192.0.2.0/24]}", "flows: {listen: [\"[::]:2055\"]}",
      "flows: {enabled: yes, listen: [\"127.0.0.1:2055\", \"[::1]:2055\"]}",
    ] {
      #expect(try ConfigurationReader.read(yaml: yaml, named: "x").warnings.isEmpty)
    }
  }

  @Test(
    "an address without its port, or an IPv6 address without brackets, is none to listen on",
    arguments: [
      "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "2001:db8::1:2055", "[2001:db8::1]", ":2055",
      "",
    ])
  func listening(text: String) throws {
    let found = try problems("flows: {listen: [\"\(text)\"]}")
    #expect(found.count == 1 && found[0].contains("an address with its port"))
  }

  @Test(
    "a sampling rate has a network and a number from 1",
    arguments: ["192.0.2.0/24", "192.0.2.0/24=0", "192.0.2.1/24=10", "192.0.2.0/24=1=2", "=5", "!"])
  func sampling(text: String) throws {
    let found = try problems("flows: {sampling: [\"\(text)\"]}")
    #expect(found.count == 1 && found[0].contains("a network and a rate"))
  }

  @Test("a file that is not there says what makes one")
  func missing() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try ConfigurationReader.read(file: "/nowhere/noroshi.yaml")
    }
    #expect(error.description.contains("noroshi init"))
  }
}
