import NetworkTypes
import SwiftASN1

/// Whether a certificate was valid when it had to be: now (EN 319 102-1 5.2.6), or else at the time
/// at which its signature is proven to have existed (5.6.2.1, past certificate validation).
struct CertificateJudgement {
  var conclusion: Conclusion
  var path: ValidatedPath?
  var error: PathError?

  init(
    _ certificate: Certificate, validator: CertificateValidator, purpose: ASN1ObjectIdentifier?,
    revocation: RevocationMode, now: Timestamp, provenAt: Timestamp
  ) {
    var parameters = PathParameters(moment: now)
    parameters.extendedKeyUsage = purpose
    parameters.revocation = revocation
    do throws(PathError) {
      path = try validator.validate(certificate, parameters: parameters)
      conclusion = .passed
      return
    } catch {
      conclusion = Conclusion(error, signer: certificate)
      self.error = error
    }
    guard conclusion.dependsOnTime, provenAt < now else { return }
    parameters.moment = provenAt
    // What was published after the moment knows more about it, not less.
    parameters.acceptsLaterEvidence = true
    do throws(PathError) {
      path = try validator.validate(certificate, parameters: parameters)
      conclusion = .passed
      self.error = nil
    } catch {
      self.error = error
      if case .notYetValid = error.reason, error.certificate == certificate {
        conclusion = .indeterminate(.notYetValid, "\(error)")
      } else {
        conclusion = Conclusion(error, signer: certificate)
      }
    }
  }
}
