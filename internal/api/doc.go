// Package api is the HTTP face of Tenantry. Routes are data (route.go): from
// the one list come the mux, the authorization check, OpenAPI, idempotency,
// dry run and the tests that no operation lacks a scenario. What holds for all
// routes is done once, in the order a request meets it:
//
//	server.go       headers, request id, paths, panics, time-outs
//	enter.go        rate limit, caller, permission, the path's object, query
//	gate.go         the strict JSON gate
//	run.go          transaction, fresh check, idempotency, If-Match, dry run
//	answer.go       JSON, ETag, status
//	problem.go      refusals as RFC 9457
//
// The other files hold one resource each; handlers hold no rule.
package api
