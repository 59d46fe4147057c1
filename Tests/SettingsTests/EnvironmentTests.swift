import Settings
import Testing

/// A value that each key takes, other than its default.
private func otherValue(of key: ConfigurationKey) -> String {
  let values: [String: String] = [
    "node.name": "tower-2", "node.roles": "isp,isac", "logging.level": "debug",
    "telescope.networks": "192.0.2.0/24@example,2001:db8::/32", "telescope.memoryLimit": "512MiB",
    "telescope.threads": "3", "telescope.eventTimeout": "10min",
    "telescope.ignoreSources": "198.51.100.7", "telescope.victims.packetsPerMinute": "2.5",
    "notices.dailyAt": "07:30", "notices.timeZone": "UTC", "notices.from": "noc@example.jp",
    "notices.replyTo": "desk@example.jp", "portal.address": "::1", "metrics.open": "yes",
    "portal.language": "en",
    "portal.trustedProxies": "127.0.0.1",
    "portal.publicURL": "https://noroshi.example.jp", "portal.secureCookies": "yes",
    "smtp.tls": "required", "smtp.port": "587",
    "telescope.sensor": "tower", "flows.enabled": "yes",
    "flows.listen": "127.0.0.1:2055,[2001:db8::1]:6343", "flows.tcp": "[::]:4739",
    "flows.allow": "192.0.2.0/24", "flows.bufferKilobytes": "8192",
    "flows.sampling": "192.0.2.0/24=1000,2001:db8::/32=512!",
    "seal.timeStamps": "http://127.0.0.1:3161/tsa",
    "seal.anchorURL": "https://noroshi.example.jp/ca.crt", "notices.sealed": "yes",
    "audit.stamped": "yes",
    "flows.cluster": "clickhouse://db1,db2/noroshi/flows",
    "detection.enabled": "yes", "detection.home": "192.0.2.0/24", "detection.pairs": "5000",
    "ddos.enabled": "yes", "ddos.protect": "192.0.2.0/24,2001:db8::/32", "ddos.learn": "no",
    "tsa.enabled": "yes", "tsa.listen": "127.0.0.1:3318", "tsa.policy": "1.2.392.200000.7",
    "tsa.policies": "1.2.392.200000.8,1.2.392.200000.9", "tsa.accuracy": "0.5s",
    "tsa.fractionDigits": "6", "tsa.ordering": "yes", "tsa.clock.guarded": "no",
    "tsa.clock.required": "3", "ca.publish": "yes",
  ]
  if let value = values[key.path] { return value }
  if key.isList { return "one,two" }
  if key.expectation.contains("number") { return key.path.hasSuffix("Length") ? "256" : "20" }
  return "/somewhere/else"
}

/// What must stand beside a key for the whole to be right.
private let companions: [String: [String: String]] = [
  "smtp.username": ["NOROSHI_SMTP_PASSWORD_FILE": "/p"],
  "smtp.passwordFile": ["NOROSHI_SMTP_USERNAME": "u"],
  "smtp.host": ["NOROSHI_NOTICES_FROM": "noc@example.jp"],
  "notices.sealed": [
    "NOROSHI_SEAL_CERTIFICATE": "/c", "NOROSHI_SEAL_KEY": "/k", "NOROSHI_SEAL_ANCHOR": "/a",
    "NOROSHI_SEAL_TIME_STAMPS": "http://127.0.0.1:3161/tsa",
  ],
  "audit.stamped": ["NOROSHI_SEAL_TIME_STAMPS": "http://127.0.0.1:3161/tsa"],
  "detection.enabled": ["NOROSHI_FLOWS_ENABLED": "yes"],
  "ddos.enabled": ["NOROSHI_FLOWS_ENABLED": "yes"],
  "telescope.live.interfaces": ["NOROSHI_TELESCOPE_NETWORKS": "192.0.2.0/24"],
]

@Suite("The environment")
struct EnvironmentTests {
  @Test(
    "every key is set by its variable, and by nothing else",
    arguments: ConfigurationKey.all.map(\.path))
  func everyKey(path: String) throws {
    let key = try #require(ConfigurationKey.named(path))
    let text = otherValue(of: key)
    let environment = [key.variable: text].merging(companions[key.path] ?? [:]) { own, _ in own }
    let read = try ConfigurationReader.read(file: nil, environment: environment)
    let standard = NoroshiConfiguration()
    #expect(key.text(in: read.values) != key.text(in: standard))
    #expect(read.origin(of: key) == .environment(variable: key.variable))
    for other in ConfigurationKey.all where environment[other.variable] == nil {
      #expect(other.text(in: read.values) == other.text(in: standard), "\(other.path)")
      #expect(read.origin(of: other) == .standard)
    }
  }

  @Test(
    "every key is set by the file as well, with the same value",
    arguments: ConfigurationKey.all.map(\.path))
  func fileAndEnvironmentAgree(path: String) throws {
    let key = try #require(ConfigurationKey.named(path))
    let text = otherValue(of: key)
    let companion = companions[key.path] ?? [:]
    let value =
      key.isList
      ? "[\"" + text.split(separator: ",").joined(separator: "\", \"") + "\"]"
      : "\"\(text)\""
    var yaml = ""
    let parts = key.path.split(separator: ".")
    for (depth, part) in parts.enumerated() {
      yaml += String(repeating: " ", count: depth * 2) + part + ":"
      yaml += depth == parts.count - 1 ? " \(value)\n" : "\n"
    }
    let file = try ConfigurationReader.read(yaml: yaml, named: "/x.yaml", environment: companion)
    let variables = try ConfigurationReader.read(
      file: nil, environment: companion.merging([key.variable: text]) { $1 })
    #expect(file.values == variables.values)
    #expect(file.origin(of: key) == .file(path: "/x.yaml", line: parts.count))
  }

  @Test("the names of variables follow the words of the key")
  func variableNames() {
    #expect(
      ConfigurationKey.named("telescope.memoryLimit")?.variable == "NOROSHI_TELESCOPE_MEMORY_LIMIT")
    #expect(ConfigurationKey.named("portal.publicURL")?.variable == "NOROSHI_PORTAL_PUBLIC_URL")
    #expect(
      ConfigurationKey.named("telescope.victims.packetsPerMinute")?.variable
        == "NOROSHI_TELESCOPE_VICTIMS_PACKETS_PER_MINUTE")
    #expect(Set(ConfigurationKey.all.map(\.variable)).count == ConfigurationKey.all.count)
    #expect(Set(ConfigurationKey.all.map(\.path)).count == ConfigurationKey.all.count)
  }

  @Test("a variable that sets nothing is refused with the nearest right one")
  func unknownVariable() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try ConfigurationReader.read(file: nil, environment: ["NOROSHI_PORTAL_PROT": "1"])
    }
    #expect(
      error.description == "environment variable NOROSHI_PORTAL_PROT: there is no such setting; "
        + "did you mean NOROSHI_PORTAL_PORT?")
  }

  @Test("other people's variables are left alone")
  func foreignVariables() throws {
    let read = try ConfigurationReader.read(
      file: nil, environment: ["PATH": "/bin", "NOROSHI_CONFIG": "x", "noroshi_portal_port": "1"])
    #expect(read.values == NoroshiConfiguration())
  }

  @Test("the command line wins over the environment, and that over the file")
  func precedence() throws {
    let read = try ConfigurationReader.read(
      yaml: "logging: {level: error}\nportal: {port: 1}\ndataDirectory: /a", named: "/x.yaml",
      environment: ["NOROSHI_LOGGING_LEVEL": "debug", "NOROSHI_PORTAL_PORT": "2"],
      options: [("logging.level", "--log-level", "trace")])
    #expect(read.values.logging.level == .trace)
    #expect(read.values.portal.port == 2)
    #expect(read.values.dataDirectory.path == "/a")
  }

  @Test("a list whose items hold commas is separated by line breaks")
  func linesInVariable() throws {
    let read = try ConfigurationReader.read(
      file: nil, environment: ["NOROSHI_NOTICES_CONTACT": "NOC, 24 h\n+81 3 0000 0000"])
    #expect(read.values.notices.contact == ["NOC, 24 h", "+81 3 0000 0000"])
  }
}
