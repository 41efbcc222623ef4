package api

import (
	"bytes"
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
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
		lots(pool, "admin", ofAdmin),
		balances(pool, "admin", ofAdmin),
		read(wallet, func(tx *db.Tx, c *Call, _ *struct{}) (credit.Figures, error) {
			return credit.Balance(tx, c.Organization)
		}),
		transactions(wallet, "organization", ofOrganization),
		statement(wallet, "organization", ofOrganization),
		lots(wallet, "organization", ofOrganization),
		balances(wallet, "organization", ofOrganization),
		read(op{Method: "GET", Path: organization + "/holds", ID: "list-credit-holds", Tag: "Credits", Summary: "List the holds on an organization's credits", May: auth.CreditsRead},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				State string `query:"state" enum:"open,captured,voided,expired" default:"open" doc:"What became of them."`
			}) (page.List[credit.Hold], error) {
				r, err := in.page()
				if err != nil {
					return page.List[credit.Hold]{}, err
				}
				return credit.Holds(tx, ofOrganization(c), credit.HoldState(in.State), r)
			}),
		read(op{Method: "GET", Path: creditsPath + "/flow", ID: "get-credit-flow", Tag: "Credits", Summary: "See how credits moved day by day", May: auth.CreditsFlow,
			Description: "A superadmin sees all, the people of an admin what concerns theirs."},
			func(tx *db.Tx, c *Call, in *struct {
				Days int `query:"days" default:"30" minimum:"1" maximum:"366" doc:"How many days, today included."`
			}) (credit.Flow, error) {
				reach := auth.Visible(auth.CreditsFlow, c.Principal)
				return credit.FlowOf(tx, credit.Reach{All: reach.All, Admins: reach.Admins}, in.Days)
			}),
	}
}

func lots(o op, owner string, of func(*Call) credit.Owner) route {
	o.Path, o.ID, o.Summary = o.Path+"/lots", "list-"+owner+"-credit-lots", "List the credits of an "+owner+" by when they expire"
	o.Description = "Each lot that has credits left, what expires soonest first, what never does last."
	return read(o, func(tx *db.Tx, c *Call, in *ListInput) (page.List[credit.OpenLot], error) {
		r, err := in.page()
		if err != nil {
			return page.List[credit.OpenLot]{}, err
		}
		return credit.Lots(tx, of(c), r)
	})
}

func balances(o op, owner string, of func(*Call) credit.Owner) route {
	o.Path, o.ID, o.Summary = o.Path+"/balances", "get-"+owner+"-credit-balances", "Read an "+owner+"'s balance at the end of each day"
	return read(o, func(tx *db.Tx, c *Call, in *struct {
		Days int `query:"days" default:"30" minimum:"1" maximum:"92" doc:"How many days, today included."`
	}) (credit.BalanceHistory, error) {
		return credit.HistoryOf(tx, of(c), in.Days)
	})
}

type transactionsInput struct {
	ListInput
	Kind string `query:"kind" enum:"grant,allocate,add,deallocate,consume,hold,capture,void,hold_expire,refund,expire,adjust" doc:"What the transaction does."`
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
	o.Description = "With Accept: text/csv as CSV."
	o.Answers = credit.MonthlyStatement{}
	return read(o, func(tx *db.Tx, c *Call, in *struct {
		Month string `query:"month" maxLength:"7" example:"2026-11" doc:"Year and month in the setting billing_timezone; without it the current one."`
	}) (any, error) {
		m, err := credit.Statement(tx, of(c), in.Month)
		if err != nil {
			return nil, err
		}
		c.w.Header().Set("Vary", "Accept")
		if !prefersCSV(c.Header("Accept")) {
			return m, nil
		}
		var b bytes.Buffer
		err = m.WriteCSV(&b)
		return raw{Body: b.Bytes(), ContentType: "text/csv; charset=utf-8", Vary: "Accept", Filename: owner + "-statement-" + m.Month + ".csv"}, err
	})
}

// ledgerRoutes explain the ledger and check it.
func (s *Server) ledgerRoutes() []route {
	return []route{
		read(op{Method: "GET", Path: creditsPath + "/accounts/{id}/explain", ID: "explain-account", Tag: creditsTag, Refuses: []int{404}, Summary: "Explain an account's number", May: auth.CreditsExplain,
			Description: "The entries, lots, holds and the policy in force that made balance, held and available what they were at a time. The account's id stands in the credits of its organization or admin."},
			func(tx *db.Tx, c *Call, in *struct {
				At string `query:"at" format:"date-time" doc:"Without it, now."`
			}) (credit.Explanation, error) {
				account := id.Account(c.ID("id"))
				of, err := credit.OwnerOf(tx, account)
				if err == nil {
					err = within(tx, auth.CreditsExplain, c.Principal, of)
				}
				if err != nil {
					return credit.Explanation{}, err
				}
				at, _, err := period(in.At, "")
				if err != nil {
					return credit.Explanation{}, fault.InvalidField("at", "invalid_time", "Give an RFC 3339 time, such as 2026-11-01T00:00:00Z.")
				}
				return credit.Explain(tx, account, at)
			}),
		read(op{Method: "GET", Path: creditsPath + "/transactions/{id}/trace", ID: "trace-transaction", Tag: creditsTag, Refuses: []int{404}, Summary: "Trace a transaction's credits back to their grants", May: auth.CreditsTrace,
			Description: "Each part of the transaction with the lots it went through, the latest first."},
			func(tx *db.Tx, c *Call, _ *struct{}) (credit.Trail, error) {
				transaction := id.Transaction(c.ID("id"))
				of, err := credit.TransactionOwner(tx, transaction)
				if err == nil {
					err = within(tx, auth.CreditsTrace, c.Principal, of)
				}
				if err != nil {
					return credit.Trail{}, err
				}
				return credit.Trace(tx, transaction)
			}),
		read(op{Method: "GET", Path: creditsPath + "/transactions/{id}", ID: "get-credit-transaction", Tag: creditsTag, Refuses: []int{404}, Summary: "Read a credit transaction", May: auth.CreditsLook,
			Description: "As its organization sees it; one without an organization as its admin does."},
			func(tx *db.Tx, c *Call, _ *struct{}) (credit.Transaction, error) {
				transaction := id.Transaction(c.ID("id"))
				of, err := credit.TransactionOwner(tx, transaction)
				if err == nil {
					err = within(tx, auth.CreditsLook, c.Principal, of)
				}
				if err != nil {
					return credit.Transaction{}, err
				}
				return credit.TransactionOf(tx, of, transaction)
			}),
		read(op{Method: "GET", Path: creditsPath + "/holds/{id}", ID: "get-credit-hold", Tag: creditsTag, Refuses: []int{404}, Summary: "Read a hold", May: auth.CreditsLook},
			func(tx *db.Tx, c *Call, _ *struct{}) (credit.Hold, error) {
				h, err := credit.HoldOf(tx, id.Transaction(c.ID("id")))
				if err == nil {
					err = within(tx, auth.CreditsLook, c.Principal, credit.Owner{Organization: h.Organization})
				}
				if err != nil {
					return credit.Hold{}, err
				}
				return h, nil
			}),
		slow(op{Method: "GET", Path: creditsPath + "/integrity", ID: "check-credits", Tag: creditsTag, Summary: "Check the whole ledger", May: auth.CreditsVerify,
			Description: "Recounts every account and checks every hash while the ledger works on. The same as the command credits verify. " +
				"It takes as long as the ledger is big; until the report comes, white space before it keeps the connection alive. An answer that breaks off could not be finished: ask again."},
			func(ctx context.Context, c *Call, _ *struct{}, alive func() error) (credit.Report, error) {
				return credit.Verify(ctx, s.DB.In(c.Principal.Scope()), alive)
			}),
		direct(op{Method: "GET", Path: creditsPath + "/integrity/part", ID: "check-credits-in-parts", Tag: creditsTag, Summary: "Check a part of the ledger", May: auth.CreditsVerify,
			Description: "The same check in steps short enough to show how far it is. Ask again with what next says, until it is null; what all parts count and find together is the report."},
			func(ctx context.Context, c *Call, in *struct {
				After string `query:"after" maxLength:"64" doc:"next of the part before."`
			}) (credit.Part, error) {
				var from page.Position
				var err error
				if in.After != "" {
					from, err = page.ParseCursor(in.After)
				}
				if err != nil {
					return credit.Part{}, fault.InvalidField("after", "invalid_cursor", "Use what a part answered as next, exactly.")
				}
				return credit.VerifyPart(ctx, s.DB.In(c.Principal.Scope()), from)
			}),
	}
}

// within decides as the door does, on the admin or organization that owns what
// the path names by an id of its own: outside the caller's tenancy it is absent,
// inside a weak role and a suspension are told. Credits that the platform itself
// owns are for who sees everything.
func within(tx *db.Tx, may auth.Permission, p *auth.Principal, of credit.Owner) error {
	at := auth.Place{Object: auth.Organization, Text: strconv.FormatInt(int64(of.Organization), 10)}
	switch {
	case of == credit.Owner{}:
		if auth.Visible(may, p).All {
			return nil
		}
		return fault.Missing()
	case of.Organization == 0:
		at = auth.Place{Object: auth.Reseller, Text: strconv.FormatInt(int64(of.Admin), 10)}
	}
	target, err := auth.TargetAt(tx, at)
	if err != nil {
		return err
	}
	may.Object = at.Object
	_, err = auth.Decide(may, p, target)
	return err
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
