package notify

import "crypto/x509"

// TrustMail has mails go to servers whose certificate is of roots.
func (d *Desk) TrustMail(roots *x509.CertPool) { d.mailer.roots = roots }
