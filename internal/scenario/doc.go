// Package scenario plays scripts in plain text against the real binary: what is
// asked, and what is answered. A script is documentation that a test keeps
// true; there is one for every operation, in internal/api/testdata/scenario,
// named after its operationId.
//
// Each script meets the same world, made by testdata/world.txt through the API:
// a superadmin, two resellers with people and organizations, a suspended one,
// keys, requests in every state. The world is made once per engine and copied
// for every script, so scripts know nothing of each other.
//
// # Format
//
// A line that begins with # is a comment. An exchange is a request and what has
// to come back:
//
//	as root
//	POST /api/tenants/partner-groups
//	Idempotency-Key: gold
//	{"name": "Gold Partners", "credit_discount_percent": 20}
//	-> 201 whole
//	Location: /api/tenants/partner-groups/{group}
//	{"id": <id=group>, "name": "Gold Partners", …}
//
//	POST /api/tenants/partner-groups
//	{"credit_discount_percent": 101}
//	-> 422 validation_failed
//	! name required
//	! credit_discount_percent out_of_range
//
// "as NAME" says who asks from here on: a person or key of the world, nobody,
// or "bearer" and a token. Headers follow the request line, then the body, sent
// as it is written, as application/json unless a header says otherwise.
//
// After the arrow stand the status and, of a refusal, its code; "! field code"
// lines are all of its field errors. Then come headers and the body, which ends
// at an empty line. "-> same" is an answer just like the one before, save the
// request id; "whole" wants every field of the answer to be named.
//
// The body is JSON in which objects may have further fields (unless whole),
// arrays have exactly these elements, and "..." stands for any number of
// elements. A body that does not begin with { or [ is text, compared line by
// line, "..." standing for any number of lines, empty ones too. Of a stream of
// events as much is read as is wanted.
//
// In headers and bodies <kind> stands for something of that kind, and
// <kind=name> keeps it as a variable; {name} puts a variable in, anywhere. In a
// JSON string a placeholder is a piece of the string; outside of one it is the
// whole value. Kinds: id, int, number, bool, time, date, token, etag, text (not
// empty), any, absent (no such field or header).
//
// Further lines that are steps:
//
//	mail to ann@anchor.example         waits for the next mail to this person;
//	Subject: Set a new password        headers and text follow
//	...
//	dns TXT _tenantry.shop.example value       what the resolver answers from now on
//	with TENANTRY_PUBLIC_RATE=2        a setting of the server, at the head of a script
//	with an empty database             instead of the world, at the head; {setup.token} is its set-up link's
//
// Whatever a script says, each answer is held to what is true of all: a
// request id, problem documents that are whole, Location with 201,
// WWW-Authenticate with 401, Retry-After with 429 and 503.
package scenario
