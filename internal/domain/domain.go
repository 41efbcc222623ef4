// Package domain keeps the custom host names of organizations and admins: who
// claims one, and who has proved to hold it. A claim that is pending blocks
// nobody; of a host there is at most one verified holder. A proof is a TXT
// record that only the holder of the name can set.
package domain

import (
	"crypto/rand"
	"errors"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// Topic is published when the answer to "whose host is this" may have changed.
const Topic = "branding"

// Status says how far a claim has come.
type Status string

// The states of a claim.
const (
	None     Status = "none"
	Pending  Status = "pending"
	Verified Status = "verified"
)

// Owner is who claims a host: exactly one of the two.
type Owner struct {
	Organization id.Organization
	Admin        id.Admin
}

// Record is what has to be set in the DNS to prove a claim.
type Record struct {
	Type  string `json:"type" enum:"TXT"`
	Name  string `json:"name" example:"_tenantry.app.example.com"`
	Value string `json:"value"`
}

// Claim is what an owner has of a host. The zero value, with Status None, is
// no claim.
type Claim struct {
	Host   string
	Status Status
	token  string
}

// Record is the record that proves the claim; nil where none is needed.
func (c Claim) Record() *Record {
	if c.Status != Pending {
		return nil
	}
	return &Record{Type: "TXT", Name: recordName(c.Host), Value: c.token}
}

// Proves reports whether the TXT records found prove the claim.
func (c Claim) Proves(records []string) bool {
	for _, r := range records {
		if strings.TrimSpace(r) == c.token && c.token != "" {
			return true
		}
	}
	return false
}

func recordName(host string) string { return "_tenantry." + host }

// Set claims host for owner, in place of what it claimed before. The same host
// again keeps its state; any other starts as pending with a new proof. An
// empty host ends the claim.
func Set(tx *db.Tx, owner Owner, host string) (Claim, error) {
	before, err := Of(tx, owner)
	if err != nil || before.Host == host {
		return before, err
	}
	if err := remove(tx, owner); err != nil {
		return Claim{}, err
	}
	tx.Publish(Topic, "")
	if host == "" {
		return Claim{Status: None}, nil
	}
	c := Claim{Host: host, Status: Pending, token: "tenantry-verification=" + strings.ToLower(rand.Text())}
	return c, insert(tx, owner, c)
}

// Of gives the owner's claim.
func Of(tx *db.Tx, owner Owner) (Claim, error) {
	c, err := claimOf(tx, owner)
	if errors.Is(err, db.ErrNoRows) {
		return Claim{Status: None}, nil
	}
	return c, err
}

// OfOrganizations gives the claims of several organizations; who has none is
// not in the map.
func OfOrganizations(tx *db.Tx, organizations []id.Organization) (map[id.Organization]Claim, error) {
	return claimsOf(tx, organizations)
}

// Confirm makes the owner the verified holder of the host that it claims. The
// host being another's is 409 domain_taken; no claim is 409 no_domain.
func Confirm(tx *db.Tx, owner Owner) (Claim, error) {
	c, err := Of(tx, owner)
	switch {
	case err != nil:
		return Claim{}, err
	case c.Status == None:
		return Claim{}, fault.New(fault.Conflict, "no_domain", "There is no custom domain to verify; set one first.")
	case c.Status == Verified:
		return c, nil
	}
	taken, err := confirm(tx, owner, c.Host)
	if err != nil {
		return Claim{}, err
	}
	if taken {
		return Claim{}, fault.New(fault.Conflict, "domain_taken", "Another account has proved to hold this domain.")
	}
	tx.Publish(Topic, "")
	c.Status = Verified
	return c, nil
}

// Holder gives who is the verified holder of a host; ok is false for nobody.
func Holder(tx *db.Tx, host string) (o Owner, ok bool, err error) {
	o, err = holder(tx, host)
	if errors.Is(err, db.ErrNoRows) {
		return Owner{}, false, nil
	}
	return o, err == nil, err
}

// MaxReason is the longest reason of an override, in characters.
const MaxReason = 500

// Verification asks to verify a custom domain.
type Verification struct {
	Override bool   `json:"override,omitempty" required:"false" doc:"Take it as verified without a look at the DNS; superadmins only, with a reason"`
	Reason   string `json:"reason,omitempty" required:"false" maxLength:"2000" doc:"Required with override; at most 500 characters"`
}

// Check cleans the reason, which goes with an override alone. To override is
// the platform's.
func (in Verification) Check(platform bool) (Verification, error) {
	if !in.Override {
		return Verification{}, nil
	}
	if !platform {
		return in, fault.DeniedField("override")
	}
	var v fault.Validation
	in.Reason = text.Name("reason", in.Reason, MaxReason, &v)
	return in, v.Err()
}

// HostToVerify gives the host whose records prove the owner's claim; empty when
// none are needed.
func HostToVerify(tx *db.Tx, owner Owner) (string, error) {
	c, err := Of(tx, owner)
	if err != nil || c.Status != Pending {
		return "", err
	}
	return c.Host, nil
}

// Unproved is the refusal when the record was not found, or holds another
// value.
func Unproved() error {
	return fault.New(fault.Conflict, "domain_not_verified",
		"The TXT record was not found with the expected value. DNS changes can take a while; try again later.")
}

// Stored makes a claim from the columns of its row, for packages that read
// them in a join of their own.
func Stored(host string, s Status, token string) Claim {
	return Claim{Host: host, Status: s, token: token}
}
