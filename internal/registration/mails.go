package registration

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
)

// The texts of all mails to applicants. None repeats what the applicant typed
// as free text: register is public, and nobody shall make us carry his words
// to an address of his choice. {app} is the brand's name, {slug} the
// organization's, {link} where to go, {reason} a superadmin's words.
type letter struct{ subject, body string }

var (
	received = letter{"{app}: we received your request", `Hello,

thank you for asking for an organization at {app}. Its address will be:

    {slug}

Somebody will look at your request and you will hear from us by e-mail.
Until then, this link always shows where it stands:

{link}

If you did not ask for this, ignore this message.
`}
	approved = letter{"{app}: your request was approved", `Hello,

good news: your request for the organization "{slug}" at {app} was approved.
We are setting it up now and will write to you again when it is ready.

Where it stands: {link}
`}
	rejected = letter{"{app}: your request was declined", `Hello,

we cannot set up the organization "{slug}" at {app}. The reason:

    {reason}

Your password was deleted from our systems. You are welcome to ask again.

This link shows the decision: {link}
`}
	welcome = letter{"Welcome to {app}", `Hello,

your organization "{slug}" at {app} is ready. Sign in with this e-mail
address and the password you chose when you registered. This link leads
there and confirms that the address is yours; it works once, for seven days:

{link}

Should you already have had an account under this address, its password
stays as it is.
`}
	welcomeBack = letter{"Welcome to {app}", `Hello,

your organization "{slug}" at {app} is ready. Sign in with the account that
you have under this e-mail address; its password stays as it is:

{link}
`}
)

// write queues the letter to the applicant of r, in the name of the brand that
// r belongs to.
func (s *Service) write(tx *db.Tx, r Request, l letter, slug, link string) error {
	app, err := appName(tx, id.Val(r.AdminID))
	if err != nil {
		return fmt.Errorf("find the brand to write in: %w", err)
	}
	reason := ""
	if r.Reason != nil {
		reason = strings.ReplaceAll(*r.Reason, "\n", "\n    ")
	}
	fill := strings.NewReplacer("{app}", app, "{slug}", slug, "{link}", link, "{reason}", reason)
	return s.Mail.Send(tx, mail.Message{To: r.Email, Subject: fill.Replace(l.subject), Text: fill.Replace(l.body), From: app})
}

func (s *Service) tellReceived(tx *db.Tx, r Request) error {
	return s.write(tx, r, received, r.slug(), s.StatusURL(r.ID))
}

func (s *Service) tellApproved(tx *db.Tx, r Request) error {
	return s.write(tx, r, approved, r.slug(), s.StatusURL(r.ID))
}

func (s *Service) tellRejected(tx *db.Tx, r Request) error {
	return s.write(tx, r, rejected, r.slug(), s.StatusURL(r.ID))
}

// tellWelcome leads the owner in, and by the way proves an address that is not
// verified yet.
func (s *Service) tellWelcome(tx *db.Tx, r Request, owner Owner, slug string) error {
	if owner.EmailVerified {
		return s.write(tx, r, welcomeBack, slug, s.Mail.BaseURL+"/")
	}
	link, err := auth.VerificationLink(tx, s.Mail.BaseURL, owner.ID)
	if err != nil {
		return fmt.Errorf("make the link of the welcome mail: %w", err)
	}
	return s.write(tx, r, welcome, slug, link)
}
