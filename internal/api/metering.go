package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

// meteringRoutes are what services call: check, report, set room aside.
func (s *Server) meteringRoutes() []route {
	const path, tag = orgPath + "/usage/reservations", "Services"
	number := func(c *Call) id.Reservation { return id.Reservation(c.ID("reservation_id")) }
	return []route{
		served[usage.Check, usage.Decision](op{Method: "POST", Path: orgPath + "/check", ID: "check-entitlement", Tag: tag, Summary: "Ask whether an organization may do something",
			May: auth.EntitlementCheck, NoDryRun: true, Once: true, Quiet: true, Find: findOrganization,
			Description: "Answers from memory: what this process has committed shows at once, what another has within a second. 200 also where the answer is no. Where a limit bounds it, the headers RateLimit-Limit, RateLimit-Remaining and, of a monthly counter, RateLimit-Reset (seconds) say so too."},
			[]string{"application/json"}, check),
		served[usage.CloudEvent, usage.Receipt](op{Method: "POST", Path: "/api/tenants/usage/events", ID: "report-usage", Tag: tag, Summary: "Report usage", May: auth.UsageReport, NoDryRun: true, Once: true, Quiet: true,
			Description: "CloudEvents 1.0: one, an array of at most 1,000, or lines of JSON (at most 16 MiB, each counted by the thousand). Answered when durable. Each event counts once in 32 days, by organization, source and id: after a failure send everything again."},
			[]string{usage.OneEvent, usage.EventBatch, usage.EventLines}, report),
		change(op{Method: "POST", Path: path, ID: "reserve-usage", Tag: tag, Summary: "Set room aside before it is used", May: auth.UsageReserve, Status: 201, NoDryRun: true, Quiet: true,
			Description: "What is used and what is set aside never pass a hard limit together, whoever else asks at the same time. Beyond it is 403 limit_exceeded with limit, used, remaining and decided_by."},
			func(tx *db.Tx, c *Call, in *struct{ Body usage.NewReservation }) (usage.Reserved, error) {
				r, err := usage.Reserve(tx, c.Organization, in.Body)
				c.Created("/api/tenants/organizations/%d/usage/reservations/%d", c.Organization, r.ID)
				return r, err
			}),
		read(op{Method: "GET", Path: path + "/{reservation_id}", ID: "get-usage-reservation", Tag: tag, Summary: "Read a reservation", May: auth.UsageReserve, Quiet: true},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.Reservation, error) {
				return usage.ReservationOf(tx, c.Organization, number(c))
			}),
		change(op{Method: "POST", Path: path + "/{reservation_id}/commit", ID: "commit-usage-reservation", Tag: tag, Refuses: []int{409}, Summary: "Turn a reservation into use", May: auth.UsageReserve, NoDryRun: true, Quiet: true},
			func(tx *db.Tx, c *Call, in *struct{ Body usage.Commitment }) (usage.Reservation, error) {
				return usage.Commit(tx, c.Organization, number(c), in.Body)
			}),
		change(op{Method: "POST", Path: path + "/{reservation_id}/release", ID: "release-usage-reservation", Tag: tag, Refuses: []int{409}, Summary: "Give back the room of a reservation", May: auth.UsageReserve, NoDryRun: true, Quiet: true},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.Reservation, error) {
				return usage.Release(tx, c.Organization, number(c))
			}),
	}
}

// findOrganization finds the organization of the path in memory.
func findOrganization(s *Server, ctx context.Context, c *Call) (auth.Target, error) {
	o, admin, err := s.Usage.Find(ctx, c.r.PathValue("org_id"))
	return auth.Target{Exists: o != 0, Organization: o, Admin: admin}, err
}

// check answers a check.
func check(s *Server, ctx context.Context, c *Call) (any, error) {
	body, err := c.readBody(maxBody, "application/json")
	if err != nil {
		return nil, err
	}
	in, ok := usage.ParseCheck(body)
	if !ok {
		in = usage.Check{}
		err := decode(body, map[string]any{"plugin": &in.Plugin, "amount": &in.Amount, "meter": &in.Meter, "quantity": &in.Quantity})
		if err != nil {
			return nil, err
		}
	}
	d, err := s.Usage.Check(ctx, c.Organization, in)
	if err != nil {
		return nil, err
	}
	if d.Limit != nil {
		h := c.w.Header()
		h["Ratelimit-Limit"] = []string{strconv.FormatInt(*d.Limit, 10)}
		h["Ratelimit-Remaining"] = []string{strconv.FormatInt(*d.Remaining, 10)}
		if d.ResetAt != nil {
			left := time.Duration(*d.ResetAt-s.DB.Now()) * time.Microsecond
			h["Ratelimit-Reset"] = []string{strconv.FormatInt(int64(max(left, 0)/time.Second), 10)}
		}
	}
	b, err := d.MarshalJSON()
	return raw{Body: append(b, '\n')}, err
}

// decode reads a JSON object strictly into its fields.
func decode(body []byte, fields map[string]any) error {
	if err := strict(body); err != nil {
		return err
	}
	if !json.Valid(body) {
		return errSyntax
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil || m == nil {
		return fault.InvalidField("body", "wrong_type", "This value has the wrong type, or does not fit it.")
	}
	var v fault.Validation
	for _, name := range slices.Sorted(maps.Keys(m)) {
		into, known := fields[name]
		field := name
		if !plain(name) {
			field = "body"
		}
		if !known {
			v.Add(field, "unknown_field", "The route knows no such field.")
		} else if json.Unmarshal(m[name], into) != nil {
			v.Add(field, "wrong_type", "This value has the wrong type, or does not fit it.")
		}
	}
	return v.Err()
}

// readBody reads a body of one of these kinds, not longer than most bytes.
func (c *Call) readBody(most int64, kinds ...string) ([]byte, error) {
	if _, err := c.kind(kinds...); err != nil {
		return nil, err
	}
	if c.r.ContentLength > most {
		return nil, fault.New(fault.TooLarge, "body_too_large", "The body may have at most %d bytes.", most)
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, most))
	if err != nil {
		return nil, unread(err, most)
	}
	if len(strings.TrimSpace(string(b[:min(len(b), 64)]))) == 0 && len(b) <= 64 {
		return nil, fault.New(fault.BadRequest, "body_required", "This route needs a body.")
	}
	return b, nil
}

// kind is the content type of the body, if it is one of these.
func (c *Call) kind(kinds ...string) (string, error) {
	if given := c.r.Header.Get("Content-Type"); slices.Contains(kinds, given) {
		return given, nil
	}
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err == nil && slices.Contains(kinds, kind) && (charset == "" || strings.EqualFold(charset, "utf-8")) {
		return kind, nil
	}
	if c.r.ContentLength == 0 && c.r.Header.Get("Content-Type") == "" {
		return "", fault.New(fault.BadRequest, "body_required", "This route needs a body.")
	}
	return "", fault.New(fault.MediaType, "unsupported_media_type", "Send the body as %s.", strings.Join(kinds, ", "))
}

// unread is the refusal of a body that could not be read.
func unread(err error, most int64) error {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return fault.New(fault.TooLarge, "body_too_large", "The body may have at most %d bytes.", most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.BadRequest, "body_too_slow", "The body did not arrive in time.")
	}
	return fault.New(fault.BadRequest, "malformed_json", "The body did not arrive whole.").Because(err)
}

// maxLines bounds a report of lines, in bytes.
const maxLines = 16 << 20

// report counts what a service reports.
func report(s *Server, ctx context.Context, c *Call) (any, error) {
	from := usage.Reporter{Organization: c.Principal.Key.Organization, Still: func(tx *db.Tx) error {
		p, err := s.Auth.Recheck(tx, c.Principal)
		if err == nil {
			_, err = auth.Decide(auth.UsageReport, p, auth.Target{})
		}
		return err
	}}
	kind, err := c.kind(usage.OneEvent, usage.EventBatch, usage.EventLines)
	if err != nil {
		return nil, err
	}
	if kind == usage.EventLines {
		return s.reportLines(ctx, c, from)
	}
	body, err := c.readBody(maxBody, usage.OneEvent, usage.EventBatch)
	if err != nil {
		return nil, err
	}
	if err := strict(body); err != nil {
		return nil, err
	}
	if !json.Valid(body) {
		return nil, errSyntax
	}
	batch, err := usage.ParseBatch(kind, body)
	if err != nil {
		return nil, err
	}
	return s.Usage.Report(ctx, from, batch)
}

// reportLines counts a stream of events by the thousand. Each thousand is
// durable before the next is read, so a stream that breaks off is sent again.
func (s *Server) reportLines(ctx context.Context, c *Call, from usage.Reporter) (any, error) {
	lines := bufio.NewScanner(http.MaxBytesReader(c.w, c.r.Body, maxLines))
	lines.Buffer(make([]byte, 0, 4096), usage.MaxLine)
	all := usage.Receipt{Events: []usage.Outcome{}}
	var batch usage.Batch
	flush := func() error {
		r, err := s.Usage.Report(ctx, from, batch)
		all.Join(r)
		batch = usage.Batch{}
		return err
	}
	for lines.Scan() {
		line := slices.Clone(lines.Bytes())
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		if strict(line) != nil {
			line = []byte("null") // refused as what it is: no event
		}
		if batch.Add(line); batch.Len() == usage.MaxBatch {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fault.New(fault.TooLarge, "body_too_large", "A line may have at most %d bytes.", usage.MaxLine)
	case err != nil:
		return nil, unread(err, maxLines)
	}
	if batch.Len() > 0 {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	if len(all.Events) == 0 {
		return nil, fault.New(fault.BadRequest, "body_required", "This route needs a body.")
	}
	return all, nil
}
