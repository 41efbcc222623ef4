package scenario

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// client asks as a plain program does: it follows nothing and keeps nothing.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{DisableCompression: true},
}

// postOffice is the mail server of a test: it takes whatever comes.
type postOffice struct {
	addr string

	mu      sync.Mutex // guards letters and changed
	letters []Letter
	changed chan struct{} // closed when a letter arrives
}

func openPost(t testing.TB) *postOffice {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{addr: l.Addr().String(), changed: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				p.serve(textproto.NewConn(c))
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return p
}

// serve speaks as much SMTP as it takes to be handed mail.
func (p *postOffice) serve(c *textproto.Conn) {
	to := ""
	for err := c.PrintfLine("220 post"); err == nil; {
		var line string
		if line, err = c.ReadLine(); err != nil {
			return
		}
		switch verb := strings.ToUpper(line); {
		case strings.HasPrefix(verb, "RCPT TO:"):
			to = strings.Trim(line[len("RCPT TO:"):], "<> ")
			err = c.PrintfLine("250 ok")
		case verb == "DATA":
			if err = c.PrintfLine("354 go on"); err != nil {
				return
			}
			var b []byte
			if b, err = c.ReadDotBytes(); err != nil {
				return
			}
			p.take(to, b)
			err = c.PrintfLine("250 ok")
		case verb == "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			err = c.PrintfLine("250 ok")
		}
	}
}

func (p *postOffice) take(to string, raw []byte) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return
	}
	body := m.Body
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return
	}
	header := http.Header(m.Header)
	if subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject")); err == nil {
		header.Set("Subject", subject)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, Letter{To: to, Header: header, Text: strings.ReplaceAll(string(text), "\r\n", "\n")})
	close(p.changed)
	p.changed = make(chan struct{})
}

// nameServer answers the TXT records that scripts set.
type nameServer struct {
	addr string

	mu      sync.Mutex // guards records
	records map[string][]string
}

func openNames(t testing.TB) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameServer{addr: conn.LocalAddr().String(), records: map[string][]string{}}
	up, down := make(chan struct{}), make(chan struct{})
	s := &dns.Server{PacketConn: conn, Handler: n, NotifyStartedFunc: func() { close(up) }}
	go func() {
		_ = s.ActivateAndServe() // ends with Shutdown
		close(down)
	}()
	<-up
	t.Cleanup(func() {
		_ = s.Shutdown()
		<-down
	})
	return n
}

func (n *nameServer) set(name, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records[strings.ToLower(dns.Fqdn(name))] = []string{value}
}

// ServeDNS answers from the records; what is not there does not exist.
func (n *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	n.mu.Lock()
	values := n.records[strings.ToLower(q.Question[0].Name)]
	n.mu.Unlock()
	a := new(dns.Msg).SetReply(q)
	if values == nil {
		a.Rcode = dns.RcodeNameError
	}
	for _, v := range values {
		a.Answer = append(a.Answer, &dns.TXT{Txt: []string{v},
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 0}})
	}
	_ = w.WriteMsg(a)
}
