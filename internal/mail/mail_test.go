package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/secret"
)

func box(t *testing.T) *secret.Box {
	t.Helper()
	b, err := secret.NewBox(bytes.Repeat([]byte{1}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// queued sends m and gives the payload that its job holds.
func queued(t *testing.T, d *db.DB, b *secret.Box, m mail.Message) []byte {
	t.Helper()
	var payload []byte
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		o := &mail.Outbox{Box: b}
		if err := o.Send(tx, m); err != nil {
			return err
		}
		var err error
		payload, err = db.One(tx, func(r db.Row) (p []byte, err error) { return p, r.Scan(&p) },
			`SELECT payload FROM jobs WHERE kind = $1 ORDER BY id DESC LIMIT 1`, mail.Kind)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// oneDB is a database for tests that need a queue and nothing of its engine.
func oneDB(t *testing.T) *db.DB { return dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// server is an SMTP server on the loopback interface that keeps what it gets.
type server struct {
	addr   string
	refuse string // the answer to RCPT, where not empty
	mu     sync.Mutex
	got    []string // envelopes and messages
	auth   []string
}

func serve(t *testing.T, refuse string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: ln.Addr().String(), refuse: refuse}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.talk(c) })
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return s
}

func (s *server) talk(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	in := bufio.NewReader(c)
	say("220 test")
	envelope := ""
	for {
		l, err := in.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimRight(l, "\r\n")
		switch word := strings.ToUpper(strings.Fields(l + " x")[0]); word {
		case "EHLO":
			say("250-test")
			say("250-AUTH PLAIN")
			say("250 8BITMIME")
		case "AUTH":
			s.mu.Lock()
			s.auth = append(s.auth, l)
			s.mu.Unlock()
			say("235 welcome")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			envelope += l + "\n"
			say("250 ok")
		case "MAIL":
			envelope += l + "\n"
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(l, ".")) // as RFC 5321 4.5.2 says
			}
			s.mu.Lock()
			s.got = append(s.got, envelope+b.String())
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *server) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func TestSent(t *testing.T) {
	s, b := serve(t, ""), box(t)
	sender, err := mail.NewSender(b, "smtp://me:pw@"+s.addr, "tenantry@example.com", "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	payload := queued(t, oneDB(t), b, mail.Message{To: "ann@example.org", Subject: "Grüße", Text: "Zeile\nhttps://x.example/a?b=c\n", From: "Acme & Söhne"})
	for range 2 {
		if err := sender.Handle(context.Background(), payload); err != nil {
			t.Fatal(err)
		}
	}
	got := s.messages()
	if len(got) != 2 {
		t.Fatalf("%d messages arrived, want 2", len(got))
	}
	envelope, text, _ := strings.Cut(got[0], "RCPT TO:<ann@example.org>\n")
	if !strings.Contains(envelope, "MAIL FROM:<tenantry@example.com>") {
		t.Errorf("envelope: got %q", got[0])
	}
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	from, err := m.Header.AddressList("From")
	if err != nil || subject != "Grüße" || from[0].Name != "Acme & Söhne" || from[0].Address != "tenantry@example.com" {
		t.Errorf("got subject %q from %v, %v", subject, from, err)
	}
	id := m.Header.Get("Message-ID")
	if !strings.HasSuffix(id, "@example.com>") || !strings.Contains(got[1], id) {
		t.Errorf("got Message-ID %s, want the same in both copies", id)
	}
	if len(s.auth) != 2 {
		t.Errorf("%d sign-ins, want 2", len(s.auth))
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	s, b, d := serve(t, ""), box(t), oneDB(t)
	sender, err := mail.NewSender(b, "smtp://"+s.addr, "tenantry@example.com", "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	for _, evil := range []string{"x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "x\rBcc: eve@evil.example", "x\u2028Bcc: eve@evil.example", "x\r\n\r\nhello"} {
		err := sender.Handle(context.Background(), queued(t, d, b, mail.Message{To: "ann@example.org", Subject: evil, From: evil, Text: "."}))
		if err != nil {
			t.Errorf("%q: %v", evil, err)
		}
		to := mail.Message{To: "ann@example.org" + evil[1:], Subject: "s", From: "f", Text: "."}
		if err := sender.Handle(context.Background(), queued(t, d, b, to)); err == nil {
			t.Errorf("%q was written to", to.To)
		}
	}
	for _, got := range s.messages() {
		_, text, _ := strings.Cut(got, "RCPT TO:<ann@example.org>\n")
		m, err := netmail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(m.Body)
		if m.Header.Get("Bcc") != "" || strings.Contains(got, "RCPT TO:<eve") || strings.TrimSpace(string(body)) != "." {
			t.Errorf("injected: %s", got)
		}
	}
	if n := len(s.messages()); n != 5 {
		t.Errorf("%d messages arrived, want 5", n)
	}
}

func TestRefusedForGoodOrForNow(t *testing.T) {
	b, d := box(t), oneDB(t)
	for _, c := range []struct {
		answer string
		state  string
	}{{"550 no such person", "dead"}, {"451 later", "ready"}} {
		s := serve(t, c.answer)
		sender, err := mail.NewSender(b, "smtp://"+s.addr, "tenantry@example.com", "", quiet())
		if err != nil {
			t.Fatal(err)
		}
		queued(t, d, b, mail.Message{To: "ann@example.org", Subject: "s", Text: "t"})
		ctx, stop := context.WithCancel(context.Background())
		tried := make(chan struct{}, 1)
		r := &job.Runner{DB: d, Log: quiet(), Handlers: map[string]job.Handler{mail.Kind: func(ctx context.Context, p []byte) error {
			defer func() { tried <- struct{}{} }()
			return sender.Handle(ctx, p)
		}}}
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		<-tried
		stop()
		running.Wait()
		err = d.Read(context.Background(), func(tx *db.Tx) error {
			state, err := db.One(tx, db.String, `SELECT state FROM jobs WHERE kind = $1 ORDER BY id DESC LIMIT 1`, mail.Kind)
			if state != c.state {
				t.Errorf("after %q: got %s, want %s", c.answer, state, c.state)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	b, d, dir := box(t), oneDB(t), filepath.Join(t.TempDir(), "mail")
	var log bytes.Buffer
	sender, err := mail.NewSender(b, "", "tenantry@example.com", dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		payload := queued(t, d, b, mail.Message{To: "ann@example.org", Subject: fmt.Sprintf("no %d", i), Text: "https://x.example/reset#token=abc\n"})
		for range 2 { // a second run writes the same file
			if err := sender.Handle(context.Background(), payload); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := strings.Count(log.String(), "mail is not sent"); n != 1 {
		t.Errorf("said %d times that mail is not sent, want once", n)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("got %v, %v, want 3 files", files, err)
	}
	for i, f := range files { // ReadDir sorts by name
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || !strings.HasSuffix(f.Name(), ".eml") ||
			!strings.Contains(string(text), fmt.Sprintf("Subject: no %d\r\n", i)) || !strings.Contains(string(text), "reset#token=abc") {
			t.Errorf("%s: %v, got %s", f.Name(), err, text)
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, want mode 600", f.Name(), info.Mode())
		}
	}
}

func TestWaitingMailIsSealed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		payload := queued(t, d, box(t), mail.Message{To: "ann@example.org", Subject: "s", Text: "the-secret-link"})
		var sealed []byte
		if err := json.Unmarshal(payload, &sealed); err != nil || bytes.Contains(sealed, []byte("secret-link")) || bytes.Contains(sealed, []byte("ann@")) {
			t.Errorf("the waiting mail shows: %q, %v", sealed, err)
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"http://x", "smtp://", "x", "smtp://u:hunter2@h:p", "smtp://u:hunter2@h/path"} {
		if _, err := mail.NewSender(box(t), bad, "tenantry@example.com", "", quiet()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error without the password", bad, err)
		}
	}
	if _, err := mail.NewSender(box(t), "", "not an address", t.TempDir(), quiet()); err == nil {
		t.Error("a sender that is no address was taken")
	}
}
