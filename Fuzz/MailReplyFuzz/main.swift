@testable import Casework

/// Cuts the input into replies, at once and in pieces: both give the same, within the bounds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMailReply(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  let whole = replies(input, pieces: [input.count])
  var left = input.count
  var pieces: [Int] = []
  while left > 0 {
    let piece = min(left, 1 + Int(input[left - 1]) % 7)
    pieces.append(piece)
    left -= piece
  }
  precondition(replies(input, pieces: pieces) == whole)
  return 0
}

private func replies(_ input: [UInt8], pieces: [Int]) -> [String] {
  var reader = SMTPReplyReader()
  var result: [String] = []
  var at = 0
  for piece in pieces {
    reader.feed(input[at..<at + piece])
    at += piece
    do {
      while let reply = try reader.next() {
        precondition((200..<600).contains(reply.code))
        precondition(reply.lines.count <= SMTPReplyReader.mostLines)
        precondition(reply.description.count <= 500)
        result.append("\(reply.code) \(reply.lines)")
      }
    } catch {
      return result + ["\(error)"]
    }
  }
  return result
}
