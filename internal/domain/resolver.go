package domain

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// Resolver looks proofs up in the DNS.
type Resolver struct {
	// Address is the server to ask, host:port; empty is the system's.
	Address string
}

// patience bounds one look-up.
const patience = 5 * time.Second

// Lookup gives the TXT records under which host proves its holder. No record
// is an empty answer; a server that does not answer is fault.Unavailable.
func (r *Resolver) Lookup(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dns := &net.Resolver{PreferGo: true}
	if r.Address != "" {
		dns.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, r.Address)
		}
	}
	records, err := dns.LookupTXT(ctx, recordName(host)+".")
	var absent *net.DNSError
	switch {
	case err == nil:
		return records, nil
	case errors.As(err, &absent) && absent.IsNotFound:
		return nil, nil
	}
	return nil, fault.New(fault.Unavailable, "dns_unavailable", "The DNS does not answer; try again shortly.").After(5 * time.Second).Because(err)
}
