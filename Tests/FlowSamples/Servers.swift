import Foundation

/// A ClickHouse server of its own on 127.0.0.1, started by hand and killed with the test.
package final class ClickHouse {
  package let folder: String
  package let http: Int
  private let tcp: Int
  private var process: Process?

  /// A server that was started and does not answer.
  package struct Silent: Error, CustomStringConvertible { package let description: String }

  /// Where the program is; nil where it is not installed.
  package static let program: String? = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
    .map { $0 + "/clickhouse-server" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  package static var isThere: Bool { program != nil }

  /// Ports that nothing listens on now.
  package static func freePorts(_ count: Int) -> [Int] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    return (0..<count).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      descriptors.append(descriptor)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          _ = bind(descriptor, generic, length)
          _ = getsockname(descriptor, generic, &length)
        }
      }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }

  /// - Parameters:
  ///   - ports: HTTP, native, and between servers.
  ///   - shards: native ports of the replicas of each shard of the cluster `two`.
  ///   - place: shard and replica for the macros.
  package init(
    _ folder: String, ports: [Int], shards: [[Int]] = [], zooKeeper: Int? = nil,
    place: (shard: String, replica: String) = ("01", "a"), password: String = ""
  ) throws {
    self.folder = folder
    http = ports[0]
    tcp = ports[1]
    for name in ["data", "tmp", "formats", "log"] {
      try FileManager.default.createDirectory(
        atPath: folder + "/" + name, withIntermediateDirectories: true)
    }
    let cluster = shards.map { replicas in
      "<shard><internal_replication>true</internal_replication>"
        + replicas.map {
          "<replica><host>127.0.0.1</host><port>\($0)</port>"
            + (password.isEmpty ? "" : "<password>\(password)</password>") + "</replica>"
        }.joined() + "</shard>"
    }.joined()
    let keeper = zooKeeper.map {
      "<zookeeper><node><host>127.0.0.1</host><port>\($0)</port></node></zookeeper>"
    }
    try """
    <yandex>
      <logger><level>warning</level><log>\(folder)/log/server.log</log>
        <errorlog>\(folder)/log/error.log</errorlog></logger>
      <listen_host>127.0.0.1</listen_host>
      <http_port>\(ports[0])</http_port><tcp_port>\(ports[1])</tcp_port>
      <interserver_http_port>\(ports[2])</interserver_http_port>
      <interserver_http_host>127.0.0.1</interserver_http_host>
      <path>\(folder)/data/</path><tmp_path>\(folder)/tmp/</tmp_path>
      <format_schema_path>\(folder)/formats/</format_schema_path>
      <users_config>users.xml</users_config><default_profile>default</default_profile>
      <default_database>default</default_database>
      <mark_cache_size>67108864</mark_cache_size>
      <macros><shard>\(place.shard)</shard><replica>\(place.replica)</replica></macros>
      <remote_servers><two>\(cluster)</two></remote_servers>\(keeper ?? "")
    </yandex>
    """.write(toFile: folder + "/config.xml", atomically: true, encoding: .utf8)
    try """
    <yandex><profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles>
    <users><default><password>\(password)</password><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota></default></users>
    <quotas><default><interval><duration>3600</duration></interval></default></quotas></yandex>
    """.write(toFile: folder + "/users.xml", atomically: true, encoding: .utf8)
  }

  deinit { kill() }

  /// Starts it and waits until it answers.
  package func start() throws {
    guard let program = Self.program else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["--config-file=\(folder)/config.xml"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    try process.run()
    self.process = process
    for _ in 0..<1_200 {
      if Ports.isOpen(http) { return }
      usleep(50_000)
    }
    throw Silent(
      description: "127.0.0.1:\(http) does not answer: "
        + ((try? String(contentsOfFile: folder + "/log/error.log", encoding: .utf8)) ?? ""))
  }

  /// As `kill -9`.
  package func kill() {
    guard let process, process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    // Not `waitUntilExit`, which wants a run loop of the thread that started it.
    for _ in 0..<1_000 where process.isRunning { usleep(10_000) }
    self.process = nil
  }
}

/// A ZooKeeper on 127.0.0.1, where Debian's is installed.
package final class ZooKeeper {
  package static let archive = "/usr/share/java/zookeeper.jar"
  package static var isThere: Bool {
    FileManager.default.fileExists(atPath: archive)
      && FileManager.default.isExecutableFile(atPath: "/usr/bin/java")
  }

  package let port: Int
  private let process = Process()

  package init(_ folder: String, port: Int) throws {
    self.port = port
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let configuration = folder + "/zoo.cfg"
    try """
    tickTime=2000
    dataDir=\(folder)/data
    clientPort=\(port)
    clientPortAddress=127.0.0.1
    admin.enableServer=false
    """.write(toFile: configuration, atomically: true, encoding: .utf8)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/java")
    process.arguments = [
      "-Xmx128m", "-cp", Self.archive + ":/usr/share/java/*",
      "org.apache.zookeeper.server.ZooKeeperServerMain", configuration,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<1_200 where !Ports.isOpen(port) { usleep(50_000) }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    for _ in 0..<1_000 where process.isRunning { usleep(10_000) }
  }
}

package enum Ports {
  /// Whether something takes connections there.
  package static func isOpen(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
