// Package mail writes to people outside the product. A message is a job,
// queued in the transaction that causes it and sealed while it waits, because
// it may hold a one-time link. It is sent by SMTP, or kept as a file.
//
// Outbox queues, Sender is the job's handler. A message is sent at least once:
// a second copy after a crash carries the same Message-ID.
package mail

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/secret"
)

// Kind is the job kind of a message.
const Kind = "mail"

// Message is one mail to one person.
type Message struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// From is the sender's display name: the brand in whose name it is sent.
	From string `json:"from"`
}

// envelope is a message as it waits.
type envelope struct {
	Message
	ID string  `json:"id"`
	At db.Time `json:"at"`
}

// Outbox queues messages.
type Outbox struct {
	Box *secret.Box
	// BaseURL begins every link, without a final slash.
	BaseURL string
}

// Send queues the message in tx. What a header cannot hold, line breaks above
// all, becomes a space in subject and sender.
func (o *Outbox) Send(tx *db.Tx, m Message) error {
	m.Subject, m.From = line(m.Subject), line(m.From)
	b, err := json.Marshal(envelope{Message: m, ID: rand.Text(), At: tx.Now})
	if err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return job.Enqueue(tx, Kind, o.Box.Seal(Kind, b))
}

// line makes one line of printable text.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}
