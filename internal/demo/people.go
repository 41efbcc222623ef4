package demo

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// person is somebody with an account, once met.
type person struct {
	id    id.User
	name  string
	email string
	ip    string
	agent string
}

// somebody makes up a person with an address at the domain.
func (s *seed) somebody(domain string) *person {
	name := firstNames[s.rng.IntN(len(firstNames))] + " " + lastNames[s.rng.IntN(len(lastNames))]
	return s.person(name, domain)
}

func (s *seed) person(name, domain string) *person {
	first, last, _ := strings.Cut(strings.ToLower(name), " ")
	clean := strings.NewReplacer("'", "", " ", "-")
	local := clean.Replace(first) + "." + clean.Replace(last)
	email := local + "@" + domain + ".example"
	for n := 2; s.addresses[email]; n++ {
		email = fmt.Sprintf("%s%d@%s.example", local, n, domain)
	}
	s.addresses[email] = true
	return &person{
		name: name, email: email,
		ip: fmt.Sprintf("198.51.100.%d", s.between(2, 250)), agent: agents[s.rng.IntN(len(agents))],
	}
}

// meet makes the person's account.
func (s *seed) meet(tx *db.Tx, p *person) error {
	u, err := auth.CreateUser(tx, auth.NewUser{Email: p.email, Name: p.name, PasswordHash: s.hash, EmailVerified: true})
	p.id = u.ID
	return err
}

// as is the person as an actor of that tier.
func (p *person) as(tier audit.Tier) audit.Actor {
	return audit.Actor{Type: audit.User, ID: int64(p.id), Name: p.name, Email: p.email, Tier: tier, IP: p.ip, UserAgent: p.agent}
}
