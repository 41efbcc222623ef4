package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/secret"
)

// sendTime bounds one conversation with a mail server.
const sendTime = 30 * time.Second

// Sender is the handler of mail jobs.
type Sender struct {
	box    *secret.Box
	from   string // sender address
	host   string // of that address
	dir    string // where files go when there is no server
	client []gomail.Option
	server string
}

// NewSender makes the handler. server is smtp://user:password@host:port or
// smtps://…; where it is empty, each message becomes a file in the folder dir,
// and log says so, once. from is the sender's address.
//
// smtp begins in clear and changes to TLS where the server can; with a password
// it must, save on the machine itself. smtps is TLS from the start.
func NewSender(box *secret.Box, server, from, dir string, log *slog.Logger) (*Sender, error) {
	address, err := netmail.ParseAddress(from)
	if err != nil || address.Address != from {
		return nil, errors.New("mail: the sender address is not a plain e-mail address")
	}
	s := &Sender{box: box, from: from, host: from[strings.LastIndexByte(from, '@')+1:], dir: dir}
	if server == "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("mail: make the folder for messages: %w", err)
		}
		log.Info("mail is not sent: each message is a file", "folder", dir)
		return s, nil
	}
	s.server, s.client, err = parse(server)
	return s, err
}

// parse reads the server's address. Its errors never repeat it: it may hold a
// password.
func parse(server string) (host string, options []gomail.Option, err error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return "", nil, errors.New("mail: the server must be smtp://user:password@host:port or smtps://…")
	}
	options = []gomail.Option{gomail.WithTimeout(sendTime)}
	port, policy := 587, gomail.TLSOpportunistic
	if u.Scheme == "smtps" {
		port, options = 465, append(options, gomail.WithSSL())
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return "", nil, errors.New("mail: the server's port is not a number")
		}
	}
	if password, given := u.User.Password(); given {
		auth := gomail.SMTPAuthAutoDiscover
		switch {
		case local(u.Hostname()):
			auth = gomail.SMTPAuthPlainNoEnc
		case u.Scheme == "smtp":
			policy = gomail.TLSMandatory
		}
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return u.Hostname(), append(options, gomail.WithPort(port), gomail.WithTLSPolicy(policy)), nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Handle sends one message: it is the handler of the job Kind.
func (s *Sender) Handle(ctx context.Context, payload []byte) error {
	var sealed []byte
	if err := json.Unmarshal(payload, &sealed); err != nil {
		return job.Permanent(fmt.Errorf("mail: read the job: %w", err))
	}
	plain, err := s.box.Open(Kind, sealed)
	if err != nil {
		return job.Permanent(err)
	}
	var e envelope
	if err := json.Unmarshal(plain, &e); err != nil {
		return job.Permanent(fmt.Errorf("mail: read the message: %w", err))
	}
	if s.server == "" {
		return s.file(e)
	}
	return s.send(ctx, e)
}

// compose makes the message; every header is encoded by the library.
func (s *Sender) compose(e envelope, encoding gomail.Encoding) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithEncoding(encoding), gomail.WithNoDefaultUserAgent())
	to, err := netmail.ParseAddress(e.To)
	if err != nil || to.Address != e.To {
		return nil, job.Permanent(errors.New("mail: the address cannot be written to"))
	}
	m.FromMailAddress(&netmail.Address{Name: line(e.From), Address: s.from})
	m.ToMailAddress(&netmail.Address{Address: e.To})
	m.Subject(line(e.Subject))
	m.SetDateWithValue(e.At.Std())
	m.SetMessageIDWithValue(e.ID + "@" + s.host)
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, e.Text)
	return m, nil
}

func (s *Sender) send(ctx context.Context, e envelope) error {
	m, err := s.compose(e, gomail.EncodingQP)
	if err != nil {
		return err
	}
	c, err := gomail.NewClient(s.server, s.client...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail: reach the server: %w", err)
	}
	err = c.Send(m)
	_ = c.Close() // the server has taken it, or not: a bad farewell changes nothing
	var refused *gomail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return job.Permanent(fmt.Errorf("mail: the server refused it: %w", err))
	}
	if err != nil {
		return fmt.Errorf("mail: send: %w", err)
	}
	return nil
}

// file keeps the message in the folder, under a name that sorts by time. A
// second run writes the same file.
func (s *Sender) file(e envelope) error {
	m, err := s.compose(e, gomail.NoEncoding)
	if err != nil {
		return err
	}
	name := e.At.Std().Format("20060102T150405.000000Z") + "-" + strings.ToLower(e.ID[:8]) + ".eml"
	f, err := os.CreateTemp(s.dir, ".writing-*")
	if err != nil {
		return fmt.Errorf("mail: make a file: %w", err)
	}
	_, err = m.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("mail: write a file: %w", err), os.Remove(f.Name()))
	}
	path := filepath.Join(s.dir, name)
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("mail: name a file: %w", err)
	}
	return nil
}
