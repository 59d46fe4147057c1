/// What `noroshi doctor` found out about one thing.
struct Diagnosis {
  enum Verdict: String {
    case ok
    /// It works, but something would be better otherwise, or a part of Noroshi is idle.
    case note
    /// Something will not work.
    case fault

    var style: Terminal.Style {
      switch self {
      case .ok: .green
      case .note: .yellow
      case .fault: .red
      }
    }
  }

  let subject: String
  let verdict: Verdict
  let finding: String
  /// How to put it right.
  let remedy: String?

  static func ok(_ subject: String, _ finding: String) -> Diagnosis {
    Diagnosis(subject: subject, verdict: .ok, finding: finding, remedy: nil)
  }

  static func note(_ subject: String, _ finding: String, _ remedy: String) -> Diagnosis {
    Diagnosis(subject: subject, verdict: .note, finding: finding, remedy: remedy)
  }

  static func fault(_ subject: String, _ finding: String, _ remedy: String) -> Diagnosis {
    Diagnosis(subject: subject, verdict: .fault, finding: finding, remedy: remedy)
  }
}
