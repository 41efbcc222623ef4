package api

import (
	"bytes"
	"mime"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
)

// creditRoutes read the ledger: an admin's pool and an organization's wallet,
// alike. What moves credits stands with its admin or organization.
func (s *Server) creditRoutes() []route {
	const admin, organization = "/api/tenants/admins/{id}/credits", "/api/tenants/organizations/{org_id}/credits"
	pool := op{Method: "GET", Path: admin, ID: "get-admin-credits", Tag: "Credits", Summary: "Read an admin's credits", May: auth.AdminCreditsRead}
	wallet := op{Method: "GET", Path: organization, ID: "get-organization-credits", Tag: "Credits", Summary: "Read an organization's credits", May: auth.CreditsRead}
	ofAdmin := func(c *Call) credit.Owner { return credit.Owner{Admin: c.Admin} }
	ofOrganization := func(c *Call) credit.Owner { return credit.Owner{Organization: c.Organization} }
	return []route{
		read(pool, func(tx *db.Tx, c *Call, _ *struct{}) (credit.Pool, error) { return credit.AdminBalance(tx, c.Admin) }),
		transactions(pool, "admin", ofAdmin),
		statement(pool, "admin", ofAdmin),
		read(wallet, func(tx *db.Tx, c *Call, _ *struct{}) (credit.Figures, error) {
			return credit.Balance(tx, c.Organization)
		}),
		transactions(wallet, "organization", ofOrganization),
		statement(wallet, "organization", ofOrganization),
	}
}

type transactionsInput struct {
	ListInput
	Kind string `query:"kind" enum:"grant,allocate,add" doc:"Grants to admins, allocations from an admin, additions by the platform."`
	From string `query:"from" format:"date-time" doc:"Not before this time."`
	To   string `query:"to" format:"date-time" doc:"Before this time."`
}

func transactions(o op, owner string, of func(*Call) credit.Owner) route {
	o.Path, o.ID, o.Summary = o.Path+"/transactions", "list-"+owner+"-credit-transactions", "List the credit transactions of an "+owner
	o.Description = "With Accept: text/csv the whole list from this page on as CSV, up to " + strconv.Itoa(credit.MaxExport) + " transactions."
	o.Answers = page.List[credit.Transaction]{}
	return read(o, func(tx *db.Tx, c *Call, in *transactionsInput) (any, error) {
		r, err := in.page()
		if err != nil {
			return nil, err
		}
		f := credit.Filter{Kind: credit.Kind(in.Kind)}
		if f.From, f.To, err = period(in.From, in.To); err != nil {
			return nil, err
		}
		c.w.Header().Set("Vary", "Accept")
		if !prefersCSV(c.Header("Accept")) {
			return credit.Transactions(tx, of(c), f, r)
		}
		var b bytes.Buffer
		err = credit.Export(tx, of(c), f, r, &b)
		return raw{Body: b.Bytes(), ContentType: "text/csv; charset=utf-8", Vary: "Accept", Filename: owner + "-credits.csv"}, err
	})
}

func statement(o op, owner string, of func(*Call) credit.Owner) route {
	o.Path, o.ID, o.Summary = o.Path+"/statement", "get-"+owner+"-credit-statement", "Read an "+owner+"'s statement of a month"
	return read(o, func(tx *db.Tx, c *Call, in *struct {
		Month string `query:"month" maxLength:"7" example:"2026-11" doc:"Year and month in the setting billing_timezone; without it the current one."`
	}) (credit.MonthlyStatement, error) {
		return credit.Statement(tx, of(c), in.Month)
	})
}

// period reads the query parameters from and to.
func period(from, to string) (first, last *db.Time, err error) {
	var v fault.Validation
	moment := func(field, s string) *db.Time {
		if s == "" {
			return nil
		}
		t := new(db.Time)
		if err := t.UnmarshalText([]byte(s)); err != nil {
			v.Add(field, "invalid_time", "Give an RFC 3339 time, such as 2026-11-01T00:00:00Z.")
		}
		return t
	}
	first, last = moment("from", from), moment("to", to)
	return first, last, v.Err()
}

// prefersCSV reports an Accept that names text/csv and likes nothing of JSON
// better.
func prefersCSV(accept string) bool {
	csv, json := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if s, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(s, 64); err != nil {
				continue
			}
		}
		switch kind {
		case "text/csv":
			csv = max(csv, q)
		case "application/json", "application/*":
			json = max(json, q)
		}
	}
	return csv > 0 && csv >= json
}
