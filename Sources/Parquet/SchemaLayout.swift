/// What a file's schema tree means for this reader: flat columns, and their places among the leaves.
struct SchemaLayout {
  private(set) var columns: [ParquetColumn] = []
  private(set) var leaves: [Int] = []
  private(set) var unread: [String] = []
  private(set) var leafCount = 0

  init(_ elements: [SchemaElement], offset: UInt64) throws(ParquetError) {
    func damaged(_ expected: String) -> ParquetError {
      .damaged(offset: offset, expected: expected)
    }
    guard let root = elements.first, let count = root.childCount, count >= 0 else {
      throw damaged("a schema with a root")
    }
    var names: Set<String> = []
    var position = 1
    for _ in 0..<count {
      guard position < elements.count else { throw damaged("\(count) columns in the schema") }
      let element = elements[position]
      guard names.insert(element.name).inserted else {
        throw damaged("column names that differ, not \(element.name) twice")
      }
      if element.childCount ?? 0 == 0 {
        if let column = element.column {
          columns.append(column)
          leaves.append(leafCount)
        } else {
          unread.append(element.name)
        }
        leafCount += 1
        position += 1
      } else {
        unread.append(element.name)
        // Passes over the subtree: each node takes one open place and opens those of its children.
        var open = 1
        while open > 0 {
          guard position < elements.count else { throw damaged("a whole schema tree") }
          let children = Int(elements[position].childCount ?? 0)
          guard children >= 0 else { throw damaged("no negative number of children") }
          if children == 0 { leafCount += 1 }
          open += children - 1
          position += 1
        }
      }
    }
    guard position == elements.count else {
      throw damaged("no more than \(position) schema elements")
    }
  }
}
