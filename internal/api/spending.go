package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
)

const creditsTag, creditsPath = "Credits", "/api/tenants/credits"

// spendingRoutes are what services do with credits. They write no audit rows:
// the ledger is their record, and keeps their idempotency keys for ever.
func (s *Server) spendingRoutes() []route {
	of := func(c *Call) id.Transaction { return id.Transaction(c.ID("id")) }
	return []route{
		queued(op{Method: "POST", Path: orgPath + "/credits/consume", ID: "consume-credits", Tag: creditsTag, Status: 201, Refuses: []int{402}, NoDryRun: true,
			Summary: "Consume credits", May: auth.CreditsSpend,
			Description: "Burns credits of the organization for a plugin: 402 when they do not cover it."},
			func(c *Call, in *struct{ Body credit.Spend }) credit.Request {
				return credit.Request{Organization: c.Organization, Consume: &in.Body}
			}, transactionOf),
		s.consumeBatch(),
		queued(op{Method: "POST", Path: orgPath + "/credits/holds", ID: "hold-credits", Tag: creditsTag, Status: 201, Refuses: []int{402}, NoDryRun: true,
			Summary: "Hold credits", May: auth.CreditsSpend,
			Description: "Sets credits aside for a while. They count as spent at once, and do not expire while they are held."},
			func(c *Call, in *struct{ Body credit.NewHold }) credit.Request {
				return credit.Request{Organization: c.Organization, Hold: &in.Body}
			}, holdOf),
		queued(op{Method: "POST", Path: creditsPath + "/holds/{id}/capture", ID: "capture-hold", Tag: creditsTag, Status: 201, Refuses: []int{404, 409}, NoDryRun: true,
			Summary: "Capture a hold", May: auth.CreditsSettle,
			Description: "Posts a part of a hold, or all of it; again until nothing is left or a capture is final. Works while the organization is suspended."},
			func(c *Call, in *struct{ Body credit.Capture }) credit.Request {
				return credit.Request{Of: of(c), Capture: &in.Body}
			}, transactionOf),
		queued(op{Method: "POST", Path: creditsPath + "/holds/{id}/void", ID: "void-hold", Tag: creditsTag, Refuses: []int{404, 409}, NoDryRun: true,
			Summary: "Void a hold", May: auth.CreditsSettle,
			Description: "Gives back what is left of a hold. Works while the organization is suspended."},
			func(c *Call, _ *struct{}) credit.Request { return credit.Request{Of: of(c), Void: true} }, voided),
		s.refund(of),
	}
}

func transactionOf(c *Call, r credit.Result) credit.Transaction {
	c.Created(creditsPath+"/transactions/%d", r.Transaction.ID)
	return *r.Transaction
}

// voided is no new thing, so it has no Location.
func voided(_ *Call, r credit.Result) credit.Hold { return *r.Hold }

func holdOf(c *Call, r credit.Result) credit.Hold {
	c.Created(creditsPath+"/holds/%d", r.Hold.ID)
	return *r.Hold
}

// queued makes a route whose request waits in the ledger's queue, to be done
// together with all that wait.
func queued[In, Out any](o op, ask func(*Call, *In) credit.Request, answer func(*Call, credit.Result) Out) route {
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *In) (any, error) {
		r, err := s.spend(ctx, o, c, ask(c, in))
		if err != nil {
			return nil, err
		}
		return answer(c, r), nil
	}, reflect.TypeFor[Out]())
}

// spend runs one request of a service.
func (s *Server) spend(ctx context.Context, o *op, c *Call, q credit.Request) (credit.Result, error) {
	if err := errors.Join(c.judged(nil), o.match(nil, c)); err != nil {
		return credit.Result{}, err
	}
	q.Actor, q.Within = c.Actor, c.Principal.Key.Organization
	if c.body != nil {
		q.Ref, q.Hash = creditReference(c), requestHash(o.Method+" "+c.r.URL.Path, c.body)
	}
	results, err := s.credits.Submit(ctx, credit.Submission{Requests: []credit.Request{q}, Caller: spender{o, c}})
	if err != nil {
		return credit.Result{}, err
	}
	if results[0].Replayed {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return results[0], results[0].Err
}

func requestHash(route string, body []byte) []byte {
	sum := sha256.Sum256(append([]byte(route+"\n"), body...))
	return sum[:]
}

// spender is the caller of a submission.
type spender struct {
	op *op
	c  *Call
}

// admitSpenders decides afresh, in the transaction, who still may: by one
// statement for all their keys.
func (s *Server) admitSpenders(tx *db.Tx, all []credit.Submission) ([]error, error) {
	var keys []id.Key
	seen := map[id.Key]bool{}
	for _, sub := range all {
		if k := sub.Caller.(spender).c.Principal.Key.ID; !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	principals, err := s.Auth.RecheckKeys(tx, keys)
	if err != nil {
		return nil, err
	}
	refused, err := keysReused(tx, all)
	if err != nil {
		return nil, err
	}
	for i, sub := range all {
		by := sub.Caller.(spender)
		if p := principals[by.c.Principal.Key.ID]; p != nil {
			if _, err := auth.Decide(by.op.May, p, by.c.target); err != nil {
				refused[i] = err
			}
		} else {
			refused[i] = auth.Ended()
		}
	}
	return refused, nil
}

// keysReused finds the submissions whose Idempotency-Key belongs to a request
// of another kind: the ledger stores the key of a single operation, and the
// whole answer of a batch is kept like that of any other route. Two kinds that
// come under one key at the same moment do not share the transaction.
func keysReused(tx *db.Tx, all []credit.Submission) ([]error, error) {
	var single, batches []credit.Reference
	kinds := map[credit.Reference]bool{} // true is a batch
	refused := make([]error, len(all))
	for i, sub := range all {
		c := sub.Caller.(spender).c
		if !c.keyed {
			continue
		}
		ref, batch := creditReference(c), sub.Before != nil
		if kind, met := kinds[ref]; met && kind != batch {
			refused[i] = credit.ErrNext
			continue
		}
		kinds[ref] = batch
		if batch {
			batches = append(batches, ref)
		} else {
			single = append(single, ref)
		}
	}
	if err := credit.TakeTurns(tx, single, batches); err != nil {
		return nil, err
	}
	kept, err := answersUnder(tx, single)
	for i, sub := range all {
		if ref := creditReference(sub.Caller.(spender).c); sub.Before == nil && kept[ref] {
			refused[i] = errKeyReused()
		}
	}
	return refused, err
}

// refund is open to services and to superadmins, whose refunds are audited.
func (s *Server) refund(of func(*Call) id.Transaction) route {
	o := op{Method: "POST", Path: creditsPath + "/transactions/{id}/refund", ID: "refund-transaction", Tag: creditsTag, Status: 201, Refuses: []int{404, 409},
		Summary: "Refund consumed credits", May: auth.CreditsRefund,
		Description: "Gives back what was consumed or captured, at most what is left of it, to the lots it came from; where such a lot has expired, to a new one that is good for 30 days. Works while the organization is suspended."}
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *struct{ Body *credit.Refund }) (any, error) {
		ask := credit.Refund{}
		if in.Body != nil {
			ask = *in.Body
		}
		if c.Principal.Kind == auth.KeyHolder {
			r, err := s.spend(ctx, o, c, credit.Request{Of: of(c), Refund: &ask})
			if err != nil {
				return nil, err
			}
			return transactionOf(c, r), nil
		}
		return s.change(ctx, o, c, func(tx *db.Tx) (any, error) {
			t, err := org.Refund(tx, c.Actor, of(c), ask, creditReference(c))
			c.Created(creditsPath+"/transactions/%d", t.ID)
			return t, err
		})
	}, reflect.TypeFor[credit.Transaction]())
}

// Batch is many operations at once.
type Batch struct {
	Operations []BatchOperation `json:"operations" minItems:"1" maxItems:"1000" doc:"Done in this order, each on its own: one that is refused stops no other"`
}

// BatchOperation consumes credits of one organization.
type BatchOperation struct {
	credit.Spend
	Organization *id.Organization `json:"organization_id,omitempty" required:"false" doc:"Absent or null: the organization of the path. Others must lie within the key's scope"`
	Key          string           `json:"idempotency_key,omitempty" required:"false" maxLength:"255" doc:"Makes this operation harmless to repeat, in any batch"`
}

// BatchAnswer has a result for each operation, in their order.
type BatchAnswer struct {
	Results   []BatchResult `json:"results" nullable:"false"`
	Succeeded int64         `json:"succeeded"`
	Refused   int64         `json:"refused"`
}

// BatchResult is what became of one operation.
type BatchResult struct {
	Status      int                 `json:"status" doc:"201, or that of the refusal"`
	Replayed    bool                `json:"replayed" doc:"It had been done before, under its idempotency_key"`
	Transaction *credit.Transaction `json:"transaction" doc:"null where it was refused"`
	Error       *BatchError         `json:"error" doc:"null where it was done"`
}

// BatchError is the refusal of one operation.
type BatchError struct {
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Available *int64 `json:"available" doc:"Of insufficient_credits"`
	Required  *int64 `json:"required" doc:"Of insufficient_credits"`
}

// consumeBatch keeps the whole answer under an Idempotency-Key of the request,
// as other routes do.
func (s *Server) consumeBatch() route {
	o := op{Method: "POST", Path: orgPath + "/credits/consume-batch", ID: "consume-credits-batch", Tag: creditsTag, NoDryRun: true,
		Summary: "Consume credits, many times at once", May: auth.CreditsSpend,
		Description: "Up to 1,000 operations with a result each, over the organizations that the key reaches."}
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *struct{ Body Batch }) (any, error) {
		if err := errors.Join(c.judged(nil), o.match(nil, c)); err != nil {
			return nil, err
		}
		sub := credit.Submission{Caller: spender{o, c}}
		for _, b := range in.Body.Operations {
			q, err := b.request(c)
			if err != nil {
				return nil, err
			}
			sub.Requests = append(sub.Requests, q)
		}
		if c.body != nil {
			sub.Before = func(tx *db.Tx) (fresh bool, err error) {
				c.replay, err = s.claim(tx, o, c)
				return c.replay == nil, err
			}
			sub.After = func(tx *db.Tx, results []credit.Result) error { return s.keep(tx, o, c, answerBatch(results)) }
		}
		results, err := s.credits.Submit(ctx, sub)
		if err != nil {
			return nil, err
		}
		return answerBatch(results), nil
	}, reflect.TypeFor[BatchAnswer]())
}

// request is an operation as the ledger takes it.
func (b *BatchOperation) request(c *Call) (credit.Request, error) {
	q := credit.Request{Actor: c.Actor, Within: c.Principal.Key.Organization, Organization: c.Organization, Consume: &b.Spend}
	if b.Organization != nil {
		q.Organization = *b.Organization
	}
	if b.Key == "" {
		return q, nil
	}
	if !printable(b.Key) {
		return q, fault.InvalidField("idempotency_key", "invalid_format", "Give 1 to 255 printable ASCII characters.")
	}
	body, err := json.Marshal(struct {
		Organization id.Organization
		Spend        credit.Spend
	}{q.Organization, b.Spend})
	q.Ref, q.Hash = credit.Reference{Principal: c.Owner(), Key: b.Key}, requestHash("consume", body)
	return q, err
}

func answerBatch(results []credit.Result) BatchAnswer {
	out := BatchAnswer{Results: make([]BatchResult, len(results))}
	for i, r := range results {
		b := BatchResult{Status: http.StatusCreated, Replayed: r.Replayed, Transaction: r.Transaction}
		var f *fault.Error
		if errors.As(r.Err, &f) {
			b.Status, b.Error = int(f.Kind), &BatchError{Code: f.Code, Detail: f.Message}
			if n, ok := f.Extra["available"].(int64); ok {
				b.Error.Available = &n
			}
			if n, ok := f.Extra["required"].(int64); ok {
				b.Error.Required = &n
			}
			out.Refused++
		} else {
			out.Succeeded++
		}
		out.Results[i] = b
	}
	return out
}
