package api

// codeDoc documents one stable problem code.
type codeDoc struct {
	Code   string
	Status int
	Doc    string
}

// codeDocs is every code that an answer's own code can be; a test holds it
// against the faults in the source.
var codeDocs = []codeDoc{
	{"malformed_json", 400, "The body is not one JSON value."},
	{"invalid_utf8", 400, "The body is not valid UTF-8."},
	{"invalid_escape", 400, "The body has a lone surrogate escape."},
	{"nul_character", 400, "The body has a NUL character."},
	{"duplicate_field", 400, "The body names a field twice."},
	{"too_deep", 400, "The body is nested too deep."},
	{"body_required", 400, "The route needs a body."},
	{"malformed_query", 400, "The query string cannot be read."},
	{"unauthenticated", 401, "No Bearer token."},
	{"invalid_token", 401, "The token is unknown, expired or revoked."},
	{"insufficient_credits", 402, "The balance does not cover it: see available and required."},
	{"forbidden", 403, "The caller's role does not allow it."},
	{"organization_suspended", 403, "The organization is suspended."},
	{"admin_suspended", 403, "The admin is suspended."},
	{"limit_exceeded", 403, "A limit would be passed."},
	{"not_found", 404, "It does not exist, or lies outside the caller's tenancy."},
	{"method_not_allowed", 405, "The path takes other methods: see Allow."},
	{"invalid_transition", 409, "The state does not allow it: see current_status and allowed."},
	{"slug_taken", 409, "The slug is in use: see suggestions."},
	{"in_use", 409, "Others depend on it."},
	{"precondition_failed", 412, "If-Match is stale."},
	{"body_too_large", 413, "The body is over the limit."},
	{"unsupported_media_type", 415, "The body is not application/json."},
	{"validation_failed", 422, "Several fields are not acceptable: see errors."},
	{"unknown_reference", 422, "An id in the body names nothing that the caller can see."},
	{"idempotency_key_reused", 422, "The Idempotency-Key belongs to another request."},
	{"dry_run_unsupported", 422, "The route cannot be tried without effect."},
	{"rate_limited", 429, "Too many requests from this address: see Retry-After."},
	{"internal", 500, "Our mistake; the request id helps us find it."},
	{"store_unavailable", 503, "The database does not answer: see Retry-After."},
	{"overloaded", 503, "Too many changes are waiting: see Retry-After."},
	{"result_unknown", 503, "The change may or may not have been made."},
	{"timeout", 503, "It took too long: see Retry-After."},
}
