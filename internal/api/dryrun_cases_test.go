package api_test

// trial is one mutation that is rehearsed and then done, in a world of its own.
type trial struct {
	as      string // e-mail of who asks; the superadmin where empty
	path    string // in place of the operation's; {name} is an id of the world
	body    string
	before  func(w *tried)
	effects string   // what the dry run says of whom it hits, besides zeros
	media   string   // of the body, where it is not JSON
	fresh   []string // fields of the answer that are made anew: ids and tokens
}

// trials are the cases of every operation that can be rehearsed.
var trials = map[string][]trial{
	"upload-logo":          {{path: "/api/tenants/admins/{anchor}/branding/logo", body: `<svg xmlns="http://www.w3.org/2000/svg" width="7"/>`, media: "image/svg+xml"}},
	"upload-platform-logo": {{body: `<svg xmlns="http://www.w3.org/2000/svg" width="7"/>`, media: "image/svg+xml"}},
	"approve-request": {
		{body: `{"org_name":"Dock Ltd","max_users":3}`},
		{body: `{"provision":true,"admin_id":{anchor}}`, effects: `{"organizations":1,"users":1}`, fresh: []string{"organization_id"}},
	},
	"reject-request":    {{body: `{"reason":"Not now"}`}},
	"provision-request": {{path: "/api/tenants/requests/{approved}/provision", effects: `{"organizations":1,"users":1}`, fresh: []string{"organization.id", "owner.id", "organization.owner_user_id", "request.organization_id"}}},
	"create-partner-group": {
		{body: `{"name":"Iron","credit_discount_percent":5}`, fresh: []string{"id"}},
	},
	"update-partner-group": {
		{body: `{"name":"Golden"}`, effects: gold},
		{body: `{"credit_discount_percent":30}`, effects: gold},
		{body: `{"max_organizations":1,"max_storage_gb":15,"max_users":0,"max_bandwidth_gb":1,"allowed_plugins":["calendar"],"may_hide_powered_by":false}`,
			effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_storage_gb","limit":15,"used":20,"over":5},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_users","limit":0,"used":20,"over":20},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_bandwidth_gb","limit":1,"used":-1,"over":-1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":2,"over":2},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"may_hide_powered_by","limit":0,"used":1,"over":1}]}`},
		{body: `{"oversell":false}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/credit-limit"), `{"credit_limit":5000}`, 200)
		},
			as: staffEmail + " then root", effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"oversell","limit":1000,"used":5000,"over":4000}]}`},
		{body: `{"max_users":1}`, path: "/api/tenants/partner-groups/{empty}"},
	},
	"delete-partner-group": {
		{path: "/api/tenants/partner-groups/{empty}"},
		{path: "/api/tenants/partner-groups/{gold}?reassign_to={tight}", effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":3,"over":3},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2}]}`},
	},
	"create-admin": {
		{body: `{"name":"Cove","contact_email":"desk@cove.example"}`, fresh: []string{"id", "referral_code"}},
		{body: `{"name":"Cove","contact_email":"desk@cove.example","partner_group_id":{tight},"custom_domain":"cove.example"}`, effects: `{"domains":1}`,
			fresh: []string{"id", "referral_code", "domain_verification.value"}},
	},
	"update-admin": {
		{body: `{"name":"Anchor and Sons"}`},
		{body: `{"custom_domain":"new.anchor.example"}`, effects: `{"domains":1}`, fresh: []string{"domain_verification.value"}},
		{body: `{"partner_group_id":null}`, effects: `{"admins":1,"organizations":2,"users":5}`},
		{body: `{"partner_group_id":{tight}}`, effects: `{"admins":1,"organizations":2,"users":5,"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":3,"over":3},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2}]}`},
	},
	"grant-credits": {{body: `{"amount":250,"reason":"More"}`, effects: `{"admins":1,"credits":250}`, fresh: []string{"transaction.id"}}},
	"adjust-admin-credits": {
		{body: `{"amount":30,"direction":"in","reason":"Billing error"}`, effects: `{"admins":1,"credits":30}`, fresh: []string{"transaction.id"}},
		{body: `{"amount":30,"direction":"out","reason":"Written off"}`, effects: `{"admins":1,"credits":30}`, fresh: []string{"transaction.id"}},
	},
	"suspend-admin": {
		{body: `{"reason":"Unpaid"}`, effects: frozen},
		{body: `{"reason":"Unpaid"}`, before: (*tried).suspendAnchor},
	},
	"reactivate-admin": {{before: (*tried).suspendAnchor, effects: frozen}, {}},
	"assign-admin-owner": {
		{body: `{"user_id":{max}}`, effects: `{"users":2}`},
		{path: "/api/tenants/admins/{beacon}/assign-owner", body: `{"user_id":{max}}`, effects: `{"users":1}`},
	},
	"add-admin-user":      {{body: `{"user_id":{max}}`, effects: `{"users":1}`}},
	"remove-admin-user":   {{path: "/api/tenants/admins/{anchor}/users/{staff}", effects: `{"users":1,"access":1}`}},
	"verify-admin-domain": {{path: "/api/tenants/admins/{beacon}/domain/verify", body: `{"override":true,"reason":"Seen"}`, effects: `{"domains":1}`}},
	"edit-organization": {
		{as: ownerEmail, body: `{"name":"Acme Ltd"}`, effects: acme},
		{body: `{"name":"C acme"}`},
		{body: `{"max_users":1,"credit_limit":0,"custom_domain":null,"enabled_plugins":["calendar"]}`, effects: `{"organizations":1,"users":2,"domains":1,"plugins":2,"over":[
				{"type":"organization","id":{acme},"name":"C acme","field":"max_users","limit":1,"used":3,"over":2}]}`},
		{body: `{"admin_id":{beacon}}`, effects: `{"organizations":1,"users":2,"access":1}`},
		{body: `{"admin_id":null}`, effects: `{"organizations":1,"users":2,"access":1}`},
	},
	"set-organization-status": {
		{body: `{"status":"suspended","reason":"Unpaid"}`, effects: acmeFrozen},
		{as: staffEmail, body: `{"status":"suspended"}`, effects: acmeFrozen},
		{body: `{"status":"active"}`},
		{body: `{"status":"archived"}`, effects: acmeFrozen},
		{body: `{"status":"active"}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/status"), `{"status":"suspended"}`, 200)
		}, effects: acmeFrozen},
	},
	"set-organization-limits": {
		{body: `{"max_users":2,"storage_limit_gb":5}`, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"max_users","limit":2,"used":3,"over":1}]}`},
		{as: staffEmail, body: `{"max_users":-1}`, effects: acme},
		{body: `{"max_users":10}`},
	},
	"set-credit-limit": {
		{as: staffEmail, body: `{"credit_limit":900}`, effects: acme},
		{body: `{"credit_limit":100}`, before: (*tried).overdraw, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"credit_limit","limit":100,"used":400,"over":300}]}`},
	},
	"add-credits": {
		{body: `{"amount":70}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
		{as: staffEmail, body: `{"amount":70}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
	},
	"deallocate-credits": {
		{before: (*tried).allocate, body: `{"amount":40,"reason":"Plan changed"}`, effects: `{"organizations":1,"users":2,"credits":40}`, fresh: []string{"transaction.id"}},
		{before: (*tried).allocate, as: staffEmail, body: `{"amount":70,"reason":"Plan changed"}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
	},
	"adjust-organization-credits": {
		{body: `{"amount":30,"direction":"in","reason":"Billing error"}`, effects: `{"organizations":1,"users":2,"credits":30}`, fresh: []string{"transaction.id"}},
		{body: `{"amount":30,"direction":"out","reason":"Written off"}`, effects: `{"organizations":1,"users":2,"credits":30}`, fresh: []string{"transaction.id"}},
	},
	"refund-transaction": {
		{path: "/api/tenants/credits/transactions/{spent}/refund", body: `{"amount":6,"reason":"Failed job"}`, effects: `{"organizations":1,"users":2,"credits":6}`, fresh: []string{"id"}},
		{path: "/api/tenants/credits/transactions/{spent}/refund", effects: `{"organizations":1,"users":2,"credits":10}`, fresh: []string{"id"}},
	},
	"set-usage-limit": {
		{body: `{"limit":2}`, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":2,"used":5,"over":3}]}`},
		{as: staffEmail, body: `{"limit":5}`, effects: acme},
		{body: `{"limit":null,"mode":null}`},
		{body: `{"mode":"hard"}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/usage/limits/orders"), `{"limit":3,"mode":"soft"}`, 200)
		}, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":3,"used":5,"over":2}]}`},
		{body: `{"limit":4}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/usage/limits/orders"), `{"limit":3}`, 200)
		}, effects: acme},
	},
	"create-meter": {{body: `{"key":"calls","name":"Calls","kind":"counter","limit":10}`, fresh: []string{"id"}}},
	"update-meter": {
		{body: `{"name":"All orders"}`, effects: `{"organizations":2,"users":3}`},
		{body: `{"limit":2}`, effects: `{"organizations":2,"users":3,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":2,"used":5,"over":3}]}`},
		{body: `{"limit":2000}`, effects: `{"organizations":2,"users":3}`},
		{path: "/api/tenants/meters/seats", body: `{"limit":2}`, effects: `{"organizations":4,"users":5,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"seats","limit":2,"used":3,"over":1}]}`},
		{path: "/api/tenants/meters/unused", body: `{"limit":2}`},
		{body: `{"unit":"orders"}`},
	},
	"delete-meter":               {{path: "/api/tenants/meters/unused"}},
	"verify-organization-domain": {{path: "/api/tenants/organizations/{bolt}/domain/verify", body: `{"override":true,"reason":"Seen"}`, effects: `{"organizations":1,"users":1,"domains":1}`}},
	"change-member-role":         {{as: ownerEmail, body: `{"role":"owner"}`, effects: `{"users":1}`}, {body: `{"role":"manager"}`}},
	"remove-member": {
		{as: ownerEmail, effects: `{"users":1}`},
		{before: func(w *tried) {
			w.want("POST", w.fill("/api/tenants/organizations/{acme}/access"), w.fill(`{"reason":"Look","minutes":5,"user_id":{max}}`), 201)
		}, effects: `{"users":1,"access":1}`},
	},
	"revoke-invitation":           {{as: ownerEmail, effects: `{"users":1,"invitations":1}`}},
	"revoke-organization-api-key": {{as: ownerEmail, effects: `{"api_keys":1}`}},
	"revoke-platform-api-key":     {{path: "/api/tenants/api-keys/{platform-key}", effects: `{"api_keys":1}`}},
	"end-access":                  {{as: ownerEmail, effects: `{"users":1,"access":1}`}, {as: staffEmail, effects: `{"users":1,"access":1}`}},
	"update-branding": {
		{body: `{"branding":{"app_name":"Anchor"}}`, effects: `{"organizations":2,"users":3,"domains":1}`},
		{body: `{"branding":{}}`},
	},
	"read-notification":      {{as: ownerEmail}},
	"read-all-notifications": {{as: ownerEmail}},
	"update-settings":        {{body: `{"default_max_users":7,"branding":{"app_name":"Cloud"}}`}, {body: `{}`}},
	"create-available-plugin": {
		{body: `{"key":"loyalty","name":"Loyalty","description":"Points.","category":"commerce","version":"1.0.0"}`, fresh: []string{"id"}},
	},
	"update-available-plugin": {{body: `{"name":"Diary"}`, effects: `{"organizations":3}`}},
	"delete-available-plugin": {{path: "/api/tenants/available-plugins/spare", effects: `{"plugins":1}`}},
}

// What several cases hit.
const (
	gold       = `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}]}`
	acme       = `{"organizations":1,"users":2}`
	frozen     = `{"organizations":2,"users":5,"domains":1,"credits":1500,"api_keys":1,"invitations":1}`
	acmeFrozen = `{"organizations":1,"users":2,"domains":1,"credits":500,"api_keys":1,"invitations":1}`
)

// usual are the things that a path's parameters stand for, where a trial does
// not say otherwise.
var usual = map[string]string{
	"/api/tenants/requests/{request_id}": "{pending}", "/api/tenants/partner-groups/{id}": "{gold}", "/api/tenants/admins/{id}": "{anchor}",
	"/api/tenants/admins/{admin_id}": "{anchor}", "/api/tenants/organizations/{org_id}": "{acme}", "/members/{user_id}": "{max}", "/users/{user_id}": "{staff}",
	"/invitations/{id}": "{invitation}", "/api-keys/{key_id}": "{key}", "/access/{grant_id}": "{grant}", "/notifications/{id}": "{notification}",
	"/api/tenants/available-plugins/{key}": "calendar", "/usage/limits/{key}": "orders", "/api/tenants/meters/{key}": "orders",
}
