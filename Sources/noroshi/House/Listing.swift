import ArgumentParser
import Store

/// The frame of every command that lists rows of the database: its options, and the way from them to
/// the list.
///
/// ```swift
/// @OptionGroup var listing: Listing
/// func run() async throws {
///   try listing.write(
///     Case.self, columns: […], nothing: "There is no such case."
///   ) { house in
///     let register = try house.caseRegister(house.store())
///     return { try register.cases($0, visibleTo: .everything) }
///   }
/// }
/// ```
struct Listing: ParsableArguments {
  @OptionGroup var options: HouseOptions
  @OptionGroup var query: QueryOptions
  @OptionGroup var list: ListOutput

  /// - Parameters:
  ///   - rows: what is listed; said first, so that the compiler need not guess it from the columns.
  ///   - nothing: what a table says when there is no row.
  ///   - known: the columns that may be filtered and sorted by, where the list itself does not check.
  ///   - open: opens what is listed, and gives the way to a page of it.
  func write<Row>(
    _ rows: Row.Type, columns: [ListColumn<Row>], nothing: String, known: Set<String>? = nil,
    _ open: (House) throws -> (ListQuery) throws -> ListPage<Row>
  ) throws {
    if let known { try query.check(against: known) }
    let page = try query.page(open(try options.house()))
    try list.write(page.rows, columns: columns, total: page.total, nothing: nothing)
  }
}
