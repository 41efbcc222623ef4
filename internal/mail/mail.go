// Package mail writes to people outside the product. A message is a job,
// queued in the transaction that causes it and sealed while it waits, because
// it may hold a one-time link. It is sent by SMTP, or kept as a file.
package mail

import (
	"encoding/json"
	"fmt"

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

// Outbox queues messages.
type Outbox struct {
	Box *secret.Box
	// BaseURL begins every link, without a final slash.
	BaseURL string
}

// Send queues the message in tx.
func (o *Outbox) Send(tx *db.Tx, m Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return job.Enqueue(tx, Kind, o.Box.Seal(Kind, b))
}
