package api_test

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
)

// sample is what the matrix must know of a route besides its row of the table.
// In texts, {name} is a thing of the tenant that the request is about (see
// things), {n} a number that is new each time, and {who.email}, {who.token} are
// the caller's.
type sample struct {
	body, query string
	// ends say how a request ends that is let in, where that is not success:
	// for "ACTOR OBJECT", "OBJECT", "ACTOR" or "".
	ends map[string]string
	// varies says that the query or body names a tenant, though the path does
	// not: such a route is tried with each object too.
	varies bool
	// fresh has the request made in a session that was opened for it.
	fresh bool
	// alone is tried while nothing else is, for it ends other sessions.
	alone bool
	// media is the type of the body, where it is not JSON.
	media string
	// check looks at an answer of success.
	check func(c cell, body map[string]any) error
}

// samples are those of the routes that need one: a body, a query that must be
// there, or an end of its own. A route without is called with nothing.
var samples = map[string]sample{
	"login":                   {body: `{"email":"{who.email}","password":"{password}"}`},
	"refresh":                 {body: `{"refresh_token":"{who.refresh}"}`},
	"set-up":                  {body: `{"token":"junk","email":"x@neutral.example","password":"{password}","name":"X"}`, ends: map[string]string{"": "422 invalid_token"}},
	"forgot-password":         {body: `{"email":"{who.email}"}`},
	"reset-password":          {body: `{"token":"junk","password":"{password}"}`, ends: map[string]string{"": "422 invalid_token"}},
	"logout":                  {fresh: true},
	"change-password":         {body: `{"old_password":"{password}","new_password":"{password}"}`, alone: true},
	"edit-me":                 {body: `{"phone":null}`},
	"verify-email":            {body: `{"token":"junk"}`, ends: map[string]string{"": "422 invalid_token"}},
	"send-email-verification": {ends: map[string]string{"": "409 already_verified"}},
	"revoke-session":          {fresh: true},
	"introspect":              {body: `{"token":"{owner-token}"}`, varies: true},
	"accept-invitation":       {body: `{"token":"{invitation-token}","password":"{password}","name":"Newcomer"}`, ends: map[string]string{"": "422 invalid_token"}},
	"switch-organization": {body: `{"organization_id":{organization}}`, varies: true, fresh: true, ends: map[string]string{
		"sibling": "422 unknown_reference", "foreign": "422 unknown_reference", "deleted": "422 unknown_reference", "absent": "422 unknown_reference",
		"superadmin sibling": success, "superadmin foreign": success, "superadmin deleted": success,
		"admin A own": "422 unknown_reference", "admin B own": "422 unknown_reference", "user of a suspended admin own": "422 unknown_reference",
		"access token of an admin's staff": "422 unknown_reference"}},

	"create-organization-api-key": {body: `{"name":"Matrix","scopes":["usage:read"]}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"grant-access":                {body: `{"reason":"matrix","minutes":5}`},
	"end-access":                  {ends: map[string]string{"admin A": "403 forbidden", "admin B": "403 forbidden", "access token of an admin's staff": "403 forbidden"}},
	"create-platform-api-key":     {body: `{"name":"Matrix","scopes":["usage:read"]}`},
	"explain-authorization":       {query: "user_id={owner}&method=GET&path=/api/tenants/organizations/{organization}/detail", varies: true},

	"register":            {body: `{"email":"new{n}@neutral.example","password":"{password}","company_name":"Neutral {n}","contact_name":"N"}`},
	"check-slug":          {query: "slug=free-{n}"},
	"registration-status": {query: "token=junk", ends: map[string]string{"": "404 not_found"}},
	"approve-request":     {body: `{}`},
	"reject-request":      {body: `{"reason":"No"}`},
	"provision-request":   {ends: map[string]string{"own": "409 invalid_transition", "sibling": "409 invalid_transition", "foreign": "409 invalid_transition"}},

	"create-partner-group": {body: `{"name":"Group {n}"}`},
	"update-partner-group": {body: `{"description":"Changed"}`},

	"create-admin":       {body: `{"name":"Matrix","contact_email":"matrix@neutral.example"}`},
	"update-admin":       {body: `{"phone":null}`},
	"grant-credits":      {body: `{"amount":1,"reason":"matrix"}`},
	"suspend-admin":      {body: `{"reason":"matrix"}`},
	"assign-admin-owner": {body: `{"user_id":{staff}}`},
	"add-admin-user":     {body: `{"user_id":{idle}}`},
	"verify-admin-domain": {ends: map[string]string{
		"": "409 no_domain"}},

	"list-organizations":         {query: "admin_id={admin}", varies: true},
	"edit-organization":          {body: `{"name":"Matrix"}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"set-organization-status":    {body: `{"status":"suspended","reason":"matrix"}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"set-organization-limits":    {body: `{"max_users":50}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"set-credit-limit":           {body: `{"credit_limit":1}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"add-credits":                {body: `{"amount":1,"reason":"matrix"}`},
	"verify-organization-domain": {ends: map[string]string{"": "409 no_domain", "admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"list-my-plugins":            {check: noneEnabled},
	"list-organization-plugins":  {check: noneForServices},

	"get-member":              {ends: map[string]string{"deleted": "404 not_found"}},
	"change-member-role":      {body: `{"role":"member"}`, ends: map[string]string{"deleted": "404 not_found"}},
	"remove-member":           {ends: map[string]string{"deleted": "404 not_found"}},
	"invite-member":           {body: `{"email":"guest{n}@neutral.example","role":"member"}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"revoke-invitation":       {ends: map[string]string{"deleted": "409 invalid_transition"}},
	"revoke-platform-api-key": {ends: map[string]string{"deleted": success}},
	"update-branding":         {body: `{"branding":{"footer_text":"Matrix"}}`},
	"list-audit-logs":         {query: "organization_id={organization}", varies: true},
	"upload-logo":             {body: `<svg xmlns="http://www.w3.org/2000/svg" width="{n}"/>`, media: "image/svg+xml"},
	"upload-platform-logo":    {body: `<svg xmlns="http://www.w3.org/2000/svg" width="{n}"/>`, media: "image/svg+xml"},
	"update-settings":         {body: `{"default_max_users":11}`},
	"create-available-plugin": {body: `{"key":"matrix-{n}","name":"Matrix"}`},
	"update-available-plugin": {body: `{"description":"Matrix"}`},
	"get-request":             {ends: map[string]string{"deleted": "404 not_found"}},
	"get-platform-api-key":    {ends: map[string]string{"deleted": success}},

	"rotate-organization-api-key": {body: `{"overlap_seconds":3600}`, ends: map[string]string{"deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"rotate-platform-api-key":     {body: `{"overlap_seconds":3600}`, ends: map[string]string{"deleted": "409 invalid_transition"}},

	"adjust-admin-credits":        {body: `{"amount":1,"direction":"in","reason":"matrix"}`},
	"adjust-organization-credits": {body: `{"amount":1,"direction":"out","reason":"matrix"}`},
	"deallocate-credits":          {body: `{"amount":1,"reason":"matrix"}`},
	"consume-credits":             {body: `{"amount":1,"plugin":"calendar"}`},
	"consume-credits-batch":       {body: `{"operations":[{"amount":1,"plugin":"calendar"}]}`, check: spentUnlessHeld},
	"hold-credits":                {body: `{"amount":1,"plugin":"calendar","expires_in":600}`},
	"capture-hold":                {body: `{"amount":1}`},
	"refund-transaction":          {body: `{"amount":1,"reason":"matrix"}`},

	"get-usage-history":        {query: "meter=bandwidth_bytes"},
	"list-top-usage":           {query: "meter=bandwidth_bytes"},
	"set-usage-limit":          {body: `{"limit":7}`, ends: map[string]string{"admin A deleted": "409 invalid_transition", "access token of an admin's staff archived": "409 invalid_transition"}},
	"check-entitlement":        {body: `{"plugin":"calendar"}`, check: allowedUnlessHeld},
	"report-usage":             {body: `{"specversion":"1.0","id":"{n}","source":"calendar","type":"bandwidth_bytes","subject":"{organization}","data":{"value":1}}`, media: "application/cloudevents+json", varies: true, check: countedWithinReach},
	"reserve-usage":            {body: `{"plugin":"calendar","meter":"storage_bytes","quantity":1}`},
	"commit-usage-reservation": {body: `{"quantity":1}`},
	"create-meter":             {body: `{"key":"matrix_{n}","name":"Matrix","kind":"counter"}`},
	"update-meter":             {body: `{"description":"Matrix"}`},
}

// sampleOf is the sample of a route; a PATCH is its PUT.
func sampleOf(o api.Operation) sample { return samples[strings.TrimPrefix(o.ID, "patch-")] }

// things are what paths name, by the path up to there, and what each is called
// in texts. A new kind of thing is planted in world.plant.
var things = map[string]string{
	"/api/tenants/organizations/{org_id}":                   "organization",
	"/api/tenants/organizations/{org_id}/members/{user_id}": "member",
	"/api/tenants/organizations/{org_id}/invitations/{id}":  "invitation",
	"/api/tenants/organizations/{org_id}/api-keys/{key_id}": "key",
	"/api/tenants/organizations/{org_id}/access/{grant_id}": "grant",
	"/api/tenants/admins/{id}":                              "admin",
	"/api/tenants/admins/{admin_id}":                        "admin",
	"/api/tenants/admins/{id}/users/{user_id}":              "staff",
	"/api/tenants/partner-groups/{id}":                      "group",
	"/api/tenants/requests/{request_id}":                    "request",
	"/api/tenants/users/{id}":                               "idle",
	"/api/tenants/api-keys/{key_id}":                        "platform-key",
	"/api/tenants/available-plugins/{key}":                  "plugin",
	"/api/tenants/notifications/{id}":                       "notification",
	"/api/auth/sessions/{id}":                               "session",
	"/api/tenants/meters/{key}":                             "meter",

	"/api/tenants/organizations/{org_id}/usage/limits/{key}":                  "limited-meter",
	"/api/tenants/organizations/{org_id}/usage/reservations/{reservation_id}": "reservation",

	"/api/tenants/credits/holds/{id}":        "credit-hold",
	"/api/tenants/credits/transactions/{id}": "transaction",
	"/api/tenants/credits/accounts/{id}":     "account",
}

// shared are the things below an organization that are the same for all: they
// can be absent, and never another organization's.
var shared = []string{"limited-meter"}

// once are the routes that end what they name, by the kind of the spare things
// planted for them: each request that is let in has one of its own.
var once = map[string]string{"void-hold": "spare-hold", "commit-usage-reservation": "spare-reservation"}

// personal are the things of a user, which nobody else reaches.
var personal = []string{"notification", "session"}

// belongs are the things of a tenant that a path names alone, so that their
// handlers look up whose they are.
var belongs = map[string]auth.Object{"credit-hold": auth.Organization, "transaction": auth.Organization, "account": auth.Organization}

// parameters are the things that a path names, in order; an error says what to
// add for one that is not known.
func parameters(o api.Operation) (kinds []string, err error) {
	at := ""
	for part := range strings.SplitSeq(o.Path, "/") {
		if part == "" {
			continue
		}
		at += "/" + part
		if !strings.HasPrefix(part, "{") {
			continue
		}
		kind, ok := things[at]
		if !ok {
			return nil, fmt.Errorf("%s: say in things (matrix_samples_test.go) what %s names, and plant one in world.plant", o.ID, at)
		}
		kinds = append(kinds, kind)
	}
	if o.Body && o.Method != "GET" && sampleOf(o).body == "" && !strings.HasSuffix(o.ID, "-domain") {
		return nil, fmt.Errorf("%s takes a body: give one in samples (matrix_samples_test.go) that is accepted", o.ID)
	}
	return kinds, nil
}

// ending is how a request ends that is let in.
func (c cell) ending() string {
	ends := sampleOf(c.op).ends
	for _, key := range []string{c.who.name + " " + c.hold.source, c.who.name + " " + c.object, c.object, c.who.name, ""} {
		if end, ok := ends[key]; ok {
			return end
		}
	}
	return success
}

func noneEnabled(c cell, body map[string]any) error {
	member := c.who.organizations[own] != "superadmin" && !c.who.wide
	if n := len(body["data"].([]any)); c.hold.on != "" && member && n > 0 {
		return fmt.Errorf("%d plugins are enabled while suspended", n)
	}
	return nil
}

func noneForServices(c cell, body map[string]any) error {
	if c.hold.on == "" && c.object != deleted || c.who.as != "key" {
		return nil
	}
	for _, p := range body["data"].([]any) {
		if p.(map[string]any)["enabled"] == true {
			return fmt.Errorf("a service is told that %v is enabled while suspended", p.(map[string]any)["key"])
		}
	}
	return nil
}

// idle reports whether the organization asked about is on hold, or archived.
func (c cell) idle() bool { return c.hold.on != "" || c.object == deleted }

func spentUnlessHeld(c cell, body map[string]any) error {
	want := 201.0
	if c.idle() {
		want = 403
	}
	if got := body["results"].([]any)[0].(map[string]any)["status"]; got != want {
		return fmt.Errorf("the operation has status %v, want %v", got, want)
	}
	return nil
}

func allowedUnlessHeld(c cell, body map[string]any) error {
	if body["allowed"] == c.idle() {
		return fmt.Errorf("allowed is %v", body["allowed"])
	}
	return nil
}

func countedWithinReach(c cell, body map[string]any) error {
	want := "refused"
	if c.who.organizations[c.object] != "" && c.object != deleted && c.hold.source != "archived" {
		want = "accepted" // what a suspended organization used before, it used
	}
	if got := body["events"].([]any)[0].(map[string]any)["status"]; got != want {
		return fmt.Errorf("the event is %v, want %s", got, want)
	}
	return nil
}
