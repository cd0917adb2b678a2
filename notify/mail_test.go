package notify_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/resource"
)

// postbox is a mail server that keeps what it is given.
type postbox struct {
	net.Listener
	secure  *tls.Config // nil: no STARTTLS
	refuse  string      // answer to RCPT; "" takes all
	refused string      // whom that is said of; "" is all

	mu    sync.Mutex
	mails []string
	talk  []string // commands
}

func newPostbox(t *testing.T, secure *tls.Config, refuse string) *postbox {
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	p := &postbox{Listener: l, secure: secure, refuse: refuse}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *postbox) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	say := func(s string) { fmt.Fprintf(conn, "%s\r\n", s) }
	say("220 box")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		p.mu.Lock()
		p.talk = append(p.talk, line)
		p.mu.Unlock()
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case verb == "EHLO" && p.secure != nil:
			say("250-box\r\n250-STARTTLS\r\n250 AUTH PLAIN")
		case verb == "EHLO":
			say("250-box\r\n250 AUTH PLAIN")
		case verb == "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, p.secure)
			r = bufio.NewReader(conn)
		case verb == "AUTH":
			say("235 ok")
		case verb == "RCPT" && p.refuse != "" && strings.Contains(line, p.refused):
			say(p.refuse)
		case verb == "DATA":
			say("354 go")
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			p.mu.Lock()
			p.mails = append(p.mails, b.String())
			p.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *postbox) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mails)
}

func mailTo(to ...string) notify.Target { return notify.Target{Email: &notify.Email{To: to}} }

// read takes a mail apart.
func read(t *testing.T, raw string) (*mail.Message, string) {
	t.Helper()
	m := must[*mail.Message](t)(mail.ReadMessage(strings.NewReader(raw)))
	return m, string(must[[]byte](t)(io.ReadAll(quotedprintable.NewReader(m.Body))))
}

func TestMail(t *testing.T) {
	tlsServer := httptest.NewTLSServer(nil)
	t.Cleanup(tlsServer.Close)
	p := newPostbox(t, &tls.Config{Certificates: tlsServer.TLS.Certificates}, "")
	h := newHouse(t, notify.Options{SMTP: "smtp://ann:s3cret-pass@" + p.Addr().String() + "?from=attune@example.com"})
	roots := x509.NewCertPool()
	roots.AddCert(tlsServer.Certificate())
	h.desk.TrustMail(roots)
	h.put("fails", `{"detail":{"Status":["FAILED","ACTIVE"]}}`, mailTo("a@example.com", "b@example.com"))
	h.put("runs", `{"source":["attune.maintain"]}`, mailTo("a@example.com"))
	h.run()
	r := h.campaign("films")
	h.become(r, resource.CreateFailed, 0)
	h.desk.Kick()
	h.until("one mail came", func() bool { return p.count() == 1 })
	m, body := read(t, p.mails[0])
	if m.Header.Get("Subject") != "Attune Notifications" || m.Header.Get("To") != "a@example.com, b@example.com" || m.Header.Get("From") != `"Attune" <attune@example.com>` || m.Header.Get("Message-Id") == "" {
		t.Errorf("the head is %v", m.Header)
	}
	if !strings.Contains(body, "the campaign "+string(r.ARN)+" is FAILED.") || !strings.Contains(body, "Describe it") {
		t.Errorf("the text is %s", body)
	}
	if auth := base64.StdEncoding.EncodeToString([]byte("\x00ann\x00s3cret-pass")); !strings.Contains(strings.Join(p.talk, "\n"), "STARTTLS") || !strings.Contains(strings.Join(p.talk, "\n"), auth) {
		t.Errorf("said %q", p.talk)
	}
	for _, detail := range []string{
		`{"datasetGroup":"films","status":"UPDATE COMPLETE","summary":"The full workflow for films completed successfully.","description":"All is well: größer."}`,
		`{"datasetGroup":"UNKNOWN","status":"UPDATE FAILED","summary":"The configuration s3://b/train/x.json cannot be used.","description":["solutions[0].nam: no such key","filters: a list"]}`,
	} {
		if _, err := h.desk.Put(t.Context(), notify.Event{Source: "attune.maintain", DetailType: "x", Detail: []byte(detail)}); err != nil {
			t.Fatal(err)
		}
	}
	h.until("two more came", func() bool { return p.count() == 3 })
	if _, body := read(t, p.mails[1]); !strings.HasPrefix(body, "The full workflow for films completed successfully.\r\n\r\nAll is well: größer.\r\n") {
		t.Errorf("the text is %q", body)
	}
	if _, body := read(t, p.mails[2]); !strings.Contains(body, "  * solutions[0].nam: no such key\r\n  * filters: a list\r\n") {
		t.Errorf("the text is %q", body)
	}
}

// TestMailRefused: what a server refuses for good is a dead letter; a line that
// cannot be trusted is not used.
func TestMailRefused(t *testing.T) {
	t.Run("no such box", func(t *testing.T) {
		p := newPostbox(t, nil, "550 no such box")
		h := newHouse(t, notify.Options{SMTP: "smtp://" + p.Addr().String() + "?from=a@example.com&starttls=off"})
		h.put("r", etl, mailTo("x@example.com"))
		h.run()
		h.tell(1)
		h.until("it is dead", func() bool { return h.rule("r").Dead == 1 })
		if note := h.rule("r").Note; !strings.Contains(note, "no such box") {
			t.Errorf("the note is %q", note)
		}
	})
	t.Run("no STARTTLS", func(t *testing.T) {
		p := newPostbox(t, nil, "")
		h := newHouse(t, notify.Options{SMTP: "smtp://u:passpass@" + p.Addr().String() + "?from=a@example.com"})
		h.put("r", etl, mailTo("x@example.com"))
		h.run()
		h.tell(1)
		h.until("it waits", func() bool { return h.rule("r").Waiting == 1 })
		if note := h.rule("r").Note; !strings.Contains(note, "offers no STARTTLS") || strings.Contains(strings.Join(p.talk, " "), "AUTH") {
			t.Errorf("the note is %q after %q", note, p.talk)
		}
	})
}

func TestMailServers(t *testing.T) {
	h := newHouse(t)
	for _, raw := range []string{"x", "http://h?from=a@b.c", "smtp://u:topsecret@h", "smtp://u:topsecret@h?from=nobody", "smtp://u:topsecret@h?from=a@b.c&x=1", "smtp://u:topsecret%zz@h?from=a@b.c"} {
		_, err := notify.Open(t.Context(), h.deps, &notify.Options{SMTP: raw})
		if attune.KindOf(err) != attune.Invalid || err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
