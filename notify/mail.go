package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

const (
	// mailTimeout bounds the sending of one mail, from the connection on.
	mailTimeout = 20 * time.Second
	// mailSubject is the subject of every mail, so that filters find them.
	mailSubject = "Attune Notifications"
	// maxMailLines bounds the list of errors in a mail.
	maxMailLines = 200
)

// mailer sends mails through one server.
type mailer struct {
	host, port string
	from       string
	user       string
	password   string
	implicit   bool // TLS from the first byte (smtps), else STARTTLS
	plain      bool // starttls=off: for a server on this machine or a trusted line
	clock      attune.Clock
	roots      *x509.CertPool // whom TLS trusts; nil: whom the machine does
}

// newMailer reads smtp://user:password@host:587?from=…; errors never quote it,
// because of the password.
func newMailer(raw string, clock attune.Clock) (*mailer, error) {
	const want = "give smtp://user:password@host:587?from=attune@example.com, smtps:// for TLS from the start, &starttls=off for none"
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, attune.Errorf(attune.Invalid, "the mail server cannot be read: %s", want)
	}
	q := u.Query()
	from, err := mail.ParseAddress(q.Get("from"))
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "the mail server has no from address: %s", want)
	}
	for name := range q {
		if name != "from" && name != "starttls" || name == "starttls" && q.Get(name) != "off" {
			return nil, attune.Errorf(attune.Invalid, "the mail server has the unknown option %.40q: %s", name, want)
		}
	}
	m := &mailer{host: u.Hostname(), port: u.Port(), from: from.Address, user: u.User.Username(), implicit: u.Scheme == "smtps", plain: q.Has("starttls"), clock: clock}
	m.password, _ = u.User.Password()
	if m.port == "" {
		m.port = map[bool]string{true: "465", false: "587"}[m.implicit]
	}
	return m, nil
}

// CheckMailServer says whether a mail server can be read; the error is
// attune.Invalid and does not quote it.
func CheckMailServer(raw string) error {
	_, err := newMailer(raw, attune.WallClock)
	return err
}

// send mails an event. What the server refuses for good (5xx) is final.
func (m *mailer) send(ctx context.Context, to []string, rule string, e Event) *failure {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	err := m.deliver(ctx, to, m.message(to, rule, e))
	if err == nil {
		return nil
	}
	return &failure{why: "the mail was not taken: " + err.Error(), final: forGood(err)}
}

// forGood says whether a server will refuse the same again. That it does not know
// us (530, 535) is not the mail's fault.
func forGood(err error) bool {
	var said *textproto.Error
	return errors.As(err, &said) && said.Code >= 500 && said.Code != 530 && said.Code != 535
}

// deliver sends a message to all that the server takes it for. The error names
// those that it refuses for good, also when the others have it.
func (m *mailer) deliver(ctx context.Context, to []string, message []byte) (err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()                                              // what counts was answered before
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends what is under way
	defer stop()
	secure := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12, RootCAs: m.roots}
	if m.implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return err
	}
	if !m.implicit && !m.plain {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the server offers no STARTTLS: say smtps://, or starttls=off if the line is trusted")
		}
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if m.user != "" { // over a line without TLS net/smtp refuses, but to this machine
		if err := c.Auth(smtp.PlainAuth("", m.user, m.password, m.host)); err != nil {
			return err
		}
	}
	if err := c.Mail(m.from); err != nil {
		return err
	}
	refused, taken, err := address(c, to)
	if err != nil || taken == 0 {
		return errors.Join(err, refused)
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it is taken; how the server says good-bye does not matter
	return refused
}

// address names who shall have the mail: taken counts those that the server takes,
// refused names the others. The error is one that may pass.
func address(c *smtp.Client, to []string) (refused error, taken int, err error) {
	for _, one := range to {
		err := c.Rcpt(one)
		switch {
		case err == nil:
			taken++
		case !forGood(err):
			return nil, 0, err
		case refused == nil:
			refused = fmt.Errorf("%s: %w", one, err)
		default:
			refused = fmt.Errorf("%w; %s: %w", refused, one, err)
		}
	}
	return refused, taken, nil
}

// message writes the mail. Its id is made from the event's, so that a mail that
// comes twice can be seen to be one.
func (m *mailer) message(to []string, rule string, e Event) []byte {
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", (&mail.Address{Name: "Attune", Address: m.from}).String()},
		{"To", strings.Join(to, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", mailSubject)},
		{"Date", m.clock().Format(time.RFC1123Z)},
		{"Message-ID", "<" + messageID(e.ID) + "." + rule + "@attune>"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(mailText(rule, e))) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// messageID keeps of an id what may stand in a header.
func messageID(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, id)
}

// Summary is the detail of an event that sums work up for people: room maintain
// puts one at the end of a run. Its mail is Description.
type Summary struct {
	DatasetGroup string          // UNKNOWN when nobody knows
	Status       string          // UPDATE COMPLETE or UPDATE FAILED
	Summary      string          // one sentence
	Description  json.RawMessage `json:",omitempty"` // the long text, or the list of what is wrong with a configuration
}

// mailText is the body of an event's mail.
func mailText(rule string, e Event) string {
	var b strings.Builder
	var sum Summary
	var state StateDetail
	switch {
	case json.Unmarshal(e.Detail, &sum) == nil && sum.Summary != "":
		summaryText(&b, sum)
	case strings.HasPrefix(e.DetailType, "Personalize ") && json.Unmarshal(e.Detail, &state) == nil && state.Arn != "":
		stateText(&b, e, state)
	default:
		var pretty bytes.Buffer
		if json.Indent(&pretty, e.Detail, "", "  ") != nil {
			pretty.Reset()
			pretty.Write(e.Detail)
		}
		fmt.Fprintf(&b, "%s from %s:\n\n%s\n", e.DetailType, e.Source, pretty.String())
	}
	fmt.Fprintf(&b, "\n-- \nEvent %s of %s, told by the rule %s of account %s in %s.\n", e.ID, e.Time.Format(time.RFC3339), rule, e.Account, e.Region)
	return b.String()
}

func summaryText(b *strings.Builder, sum Summary) {
	var text string
	var list []string
	if json.Unmarshal(sum.Description, &text) != nil || !strings.HasPrefix(text, sum.Summary) {
		fmt.Fprintf(b, "%s\n\n", sum.Summary)
	}
	switch {
	case json.Unmarshal(sum.Description, &text) == nil && text != "":
		fmt.Fprintf(b, "%s\n", strings.TrimRight(text, "\n"))
	case json.Unmarshal(sum.Description, &list) == nil && len(list) > 0:
		b.WriteString("The configuration cannot be used. Correct this, and give it again:\n\n")
		for _, line := range list[:min(len(list), maxMailLines)] {
			fmt.Fprintf(b, "  * %s\n", line)
		}
		if more := len(list) - maxMailLines; more > 0 {
			fmt.Fprintf(b, "  * … and %d more\n", more)
		}
	}
}

func stateText(b *strings.Builder, e Event, d StateDetail) {
	what := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(e.DetailType, "Personalize "), " State Change"))
	of := ""
	if d.Update {
		of = "the update of "
	}
	fmt.Fprintf(b, "%sthe %s %s is %s.\n", of, what, d.Arn, d.Status)
	if d.Duration > 0 {
		fmt.Fprintf(b, "It took %s.\n", time.Duration(d.Duration)*time.Second)
	}
	if d.Status == Failed {
		fmt.Fprintf(b, "Describe it to read why (failureReason).\n")
	}
	if d.Cause != nil && len(d.Cause.Configs) > 0 {
		fmt.Fprintf(b, "It was asked for by run %s of the configuration %s.\n", d.Cause.Run, d.Cause.Configs[len(d.Cause.Configs)-1])
	}
}
