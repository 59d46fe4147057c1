import Testing

@testable import Portal

@Suite("Forms with files")
struct MultipartFormTests {
  private static let type = "multipart/form-data; boundary=\"a; b\""

  private static func body(_ parts: [(head: String, content: String)], end: String = "--")
    -> [UInt8]
  {
    let text = parts.map { "--a; b\r\n\($0.head)\r\n\r\n\($0.content)\r\n" }.joined()
    return Array((text + "--a; b" + end + "\r\n").utf8)
  }

  private static let whole = body([
    ("Content-Disposition: form-data; name=\"form_token\"", "0123"),
    (
      "Content-Disposition: form-data; name=\"seal\"; filename=\"C:\\x\\a;b.p7s\"\r\nContent-Type: x/y",
      "one\r\n--a; c\r\ntwo"
    ),
    ("content-disposition: form-data; filename=\"\"; name=\"content\"", ""),
    ("Content-Disposition: form-data; name=\"content\"; filename=\"../e.csv\"", ""),
  ])

  @Test("fields and files are told apart, whatever their content looks like")
  func read() throws {
    let form = try MultipartForm(Self.whole, contentType: Self.type)
    #expect(form.fields == ["form_token": "0123"])
    let seal = try #require(form.files["seal"]?.first)
    #expect(seal.name == "a;b.p7s")
    #expect(seal.content == Array("one\r\n--a; c\r\ntwo".utf8))
    // A field that no file was chosen for is not there; an empty file with a name is.
    #expect(form.files["content"]?.map(\.name) == ["e.csv"])
  }

  @Test("octets of any kind come through unchanged")
  func octets() throws {
    var body = Array("--x\r\nContent-Disposition: form-data; name=f; filename=n\r\n\r\n".utf8)
    let content = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    body += content + Array("\r\n--x--".utf8)
    let form = try MultipartForm(body, contentType: "multipart/form-data; boundary=x")
    #expect(form.files["f"]?.first?.content == content)
  }

  @Test(
    "broken forms are refused",
    arguments: [
      (Array("".utf8), type), (whole, "multipart/form-data"),
      (whole, "multipart/form-data; boundary="),
      (whole, "application/x-www-form-urlencoded; boundary=\"a; b\""),
      (Array("x".utf8) + whole, type), (Array(whole.dropLast(6)), type),
      (body([("Content-Type: text/plain", "x")]), type),
      (body([("Content-Disposition: form-data", "x")]), type),
      (body([("X: " + String(repeating: "y", count: 5_000), "x")]), type),
      (
        body(
          Array(
            repeating: ("Content-Disposition: form-data; name=\"a\"; filename=\"b\"", ""),
            count: 40)), type
      ), (body([("Content-Disposition: form-data; name=\"a\"", "x")], end: "?!"), type),
    ])
  func broken(body: [UInt8], type: String) {
    #expect(throws: MultipartForm.Malformed.self) {
      try MultipartForm(body, contentType: type)
    }
  }

  @Test("no cut and no changed octet traps")
  func hostile() {
    for length in 0..<Self.whole.count {
      _ = try? MultipartForm(Array(Self.whole.prefix(length)), contentType: Self.type)
      for octet in [UInt8(0), 0x0d, 0x0a, 0x22, 0x2d, 0xff] {
        var body = Self.whole
        body[length] = octet
        _ = try? MultipartForm(body, contentType: Self.type)
      }
    }
  }
}
