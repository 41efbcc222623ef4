package brand_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/fault"
)

// apply merges a body into old and gives the fields that were refused.
func apply(t *testing.T, old brand.Fields, body string) (brand.Fields, []fault.Field) {
	t.Helper()
	var p brand.Patch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	var v fault.Validation
	out := brand.Apply(old, p, &v)
	var e *fault.Error
	if errors.As(v.Err(), &e) {
		return out, e.Fields
	}
	return out, nil
}

const whole = `{"logo_url":"https://example.com/logo.png","favicon_url":"https://example.com/favicon.ico","primary_color":"#FF5733","secondary_color":"#33FF57","app_name":"My App","footer_text":"© 2024 My Company","support_email":"support@example.com","hide_powered_by":true}`

func TestApplyMerges(t *testing.T) {
	full, bad := apply(t, brand.Fields{}, whole)
	if len(bad) > 0 {
		t.Fatalf("the reference's branding is refused: %v", bad)
	}
	got, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != whole {
		t.Errorf("got %s, want %s", got, whole)
	}
	next, bad := apply(t, full, `{"app_name":"Other","logo_url":null}`)
	if len(bad) > 0 {
		t.Fatalf("merge refused: %v", bad)
	}
	if next.LogoURL != nil || *next.AppName != "Other" || *next.PrimaryColor != "#FF5733" || !*next.HidePoweredBy {
		t.Errorf("merge gave %+v", next)
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct{ body, field, code string }{
		{`{"logo_url":"http://example.com/logo.png"}`, "branding.logo_url", "invalid_url"},
		{`{"logo_url":"javascript:alert(1)"}`, "branding.logo_url", "invalid_url"},
		{`{"logo_url":"https://user:pw@example.com/"}`, "branding.logo_url", "invalid_url"},
		{`{"logo_url":"https://example.com/\u202egnp.exe"}`, "branding.logo_url", "invalid_url"},
		{`{"logo_url":"https://example.com:99999/logo.png"}`, "branding.logo_url", "invalid_url"},
		{`{"logo_url":"https://example.com:0/logo.png"}`, "branding.logo_url", "invalid_url"},
		{`{"favicon_url":"https://"}`, "branding.favicon_url", "invalid_url"},
		{`{"favicon_url":"//example.com/x"}`, "branding.favicon_url", "invalid_url"},
		{`{"favicon_url":"https://example.com/` + strings.Repeat("a", brand.MaxURL) + `"}`, "branding.favicon_url", "invalid_url"},
		{`{"primary_color":"red"}`, "branding.primary_color", "invalid_color"},
		{`{"primary_color":"#FF573"}`, "branding.primary_color", "invalid_color"},
		{`{"secondary_color":"#FF5733\n"}`, "branding.secondary_color", "invalid_color"},
		{`{"app_name":""}`, "branding.app_name", "required"},
		{`{"app_name":"a\u202eb"}`, "branding.app_name", "invalid_text"},
		{`{"footer_text":"<script>alert(1)</script>"}`, "branding.footer_text", "invalid_text"},
		{`{"support_email":"nobody"}`, "branding.support_email", "invalid_email"},
	} {
		_, bad := apply(t, brand.Fields{}, c.body)
		if len(bad) != 1 || bad[0].Field != c.field || bad[0].Code != c.code {
			t.Errorf("%s: got %v, want %s on %s", c.body, bad, c.code, c.field)
		}
	}
}
