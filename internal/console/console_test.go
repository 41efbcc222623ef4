package console_test

import (
	"compress/gzip"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/console"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// asked is a call that the API got.
type asked struct{ method, path, body, host, authorization string }

// world is the pages before an API that answers as it is told.
type world struct {
	*testing.T
	pages  *console.Pages
	asked  []asked
	status int
	answer string
	refuse map[string]int // paths that answer a refusal instead
}

func open(t *testing.T) *world {
	t.Helper()
	p, err := console.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, pages: p, status: 200, answer: "{}"}
	p.Brand = branding.New(dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	p.Host = func(r *http.Request) string { return r.Host }
	p.Secure = func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" }
	p.API = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.asked = append(w.asked, asked{r.Method, r.URL.String(), string(b), r.Host, r.Header.Get("Authorization")})
		if status := w.refuse[r.URL.Path]; status != 0 {
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, `{"status":`+strconv.Itoa(status)+`,"code":"no","detail":"No.","errors":[{"field":"token","code":"no","message":"Not this one."}]}`)
			return
		}
		rw.WriteHeader(w.status)
		_, _ = io.WriteString(rw, w.answer)
	})
	return w
}

func (w *world) do(method, path string, body url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body.Encode()))
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.pages.ServeHTTP(rec, r)
	return rec
}

var light = []string{"/login", "/signup", "/forgot", "/reset", "/accept", "/setup"}

const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; connect-src 'self'; " +
	"font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

var (
	asset = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+|/icon\.svg)"`)
	bad   = regexp.MustCompile(`<script[^>]*>[^<]|\son\w+=|https?://|javascript:|ZgotmplZ`)
)

// A light page is whole, brings no inline script, and weighs at most 40 kB.
func TestLightPages(t *testing.T) {
	w := open(t)
	for _, path := range light {
		res := w.do("GET", path, nil)
		body := res.Body.String()
		if res.Code != 200 || !strings.HasPrefix(body, "<!doctype html>") || !strings.Contains(body, "<h1>") {
			t.Fatalf("%s: got %d %.60s", path, res.Code, body)
		}
		for name, want := range map[string]string{"Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Host, Accept-Language, Cookie", "Content-Type": "text/html; charset=utf-8"} {
			if got := res.Header().Get(name); got != want {
				t.Errorf("%s, %s: got %q, want %q", path, name, got, want)
			}
		}
		if found := bad.FindString(body); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
		weight := len(body)
		found := asset.FindAllStringSubmatch(body, -1)
		if len(found) != 3 {
			t.Errorf("%s: got %v, want a style, a script and an icon", path, found)
		}
		for _, f := range found {
			a := w.do("GET", f[1], nil, "Accept-Encoding", "gzip")
			if a.Code != 200 || a.Body.Len() == 0 {
				t.Errorf("%s: got %d", f[1], a.Code)
			}
			weight += a.Body.Len()
			if strings.HasPrefix(f[1], "/assets/") && !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s", f[1], a.Header().Get("Cache-Control"))
			}
			if again := w.do("GET", f[1], nil, "If-None-Match", a.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("%s again: got %d with %d bytes", f[1], again.Code, again.Body.Len())
			}
		}
		if weight > 40_000 {
			t.Errorf("%s weighs %d bytes", path, weight)
		}
	}
	if len(w.asked) > 0 {
		t.Errorf("the pages asked %v", w.asked)
	}
}

func TestPackedAssetsAreTheSame(t *testing.T) {
	w := open(t)
	at := asset.FindAllStringSubmatch(w.do("GET", "/login", nil).Body.String(), 2)[1][1] // the first is the icon
	plain, packed := w.do("GET", at, nil), w.do("GET", at, nil, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil || string(b) != plain.Body.String() || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("got %d bytes of %d, %v", len(b), plain.Body.Len(), err)
	}
}

func TestSigningInSetsACookieAndGoesOn(t *testing.T) {
	w := open(t)
	w.answer = `{"access_token":"a","refresh_token":"tnt_rt_x","expires_in":900}`
	for given, want := range map[string]string{"": "/app", "/app/requests?page=2": "/app/requests?page=2", "https://evil.example/": "/app", "//evil.example": "/app", "/app/\\evil": "/app", "/login": "/app", "/verify?token=T": "/verify?token=T", "/verify.evil.example": "/app", "/verify?\r\nX: y": "/app"} {
		w.asked = nil
		res := w.do("POST", "/login", url.Values{"email": {"a@b.example"}, "password": {"p w"}, "next": {given}}, "X-Forwarded-Proto", "https")
		if res.Code != http.StatusSeeOther || res.Header().Get("Location") != want {
			t.Errorf("next %q: got %d to %q", given, res.Code, res.Header().Get("Location"))
		}
		c := res.Result().Cookies()
		if len(c) != 1 || c[0].Value != "tnt_rt_x" || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteLaxMode {
			t.Errorf("the cookies are %v", c)
		}
		if len(w.asked) != 1 || w.asked[0] != (asked{"POST", "/api/auth/login", `{"email":"a@b.example","password":"p w"}`, "example.com", ""}) {
			t.Errorf("the API was asked %v", w.asked)
		}
	}
}

func TestARefusalIsShownWithTheForm(t *testing.T) {
	w := open(t)
	w.status, w.answer = 422, `{"status":422,"code":"validation_failed","detail":"Some <b>fields</b> are wrong.","request_id":"req-1","errors":[{"field":"company_name","code":"required","message":"Say the company."}]}`
	res := w.do("POST", "/signup", url.Values{"company_name": {""}, "contact_name": {`<script>alert(1)</script>`}, "email": {"a@b.example"}, "password": {"my secret password"}, "utm_source": {"ads"}})
	body := res.Body.String()
	if res.Code != 422 {
		t.Errorf("got %d", res.Code)
	}
	for _, want := range []string{"Some &lt;b&gt;fields", "req-1", "Say the company.", `aria-invalid="true"`, "a@b.example", `name="utm_source" value="ads"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, secret := range []string{"my secret password", "<script>alert"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
}

func TestALinkIsPastedWhole(t *testing.T) {
	w := open(t)
	for _, given := range []string{"tnt_ot_abc", " https://x.example/reset#token=tnt_ot_abc ", "/reset#token=tnt_ot_abc"} {
		w.asked = nil
		res := w.do("POST", "/reset", url.Values{"token": {given}, "password": {"pw"}})
		if res.Header().Get("Location") != "/login?done=reset" || len(w.asked) != 1 || w.asked[0].body != `{"password":"pw","token":"tnt_ot_abc"}` {
			t.Errorf("%q: got %d, asked %v", given, res.Code, w.asked)
		}
	}
}

func TestSignUpKeepsWhereOneCameFrom(t *testing.T) {
	w := open(t)
	body := w.do("GET", `/signup?utm_source=ads&utm_campaign=%22%3E%3Cscript%3E&ref=R1`, nil).Body.String()
	for _, want := range []string{`name="utm_source" value="ads"`, `value="&#34;&gt;&lt;script&gt;"`, `value="R1"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	w.answer = `{"status_url":"https://other.example/status?token=T"}`
	if res := w.do("POST", "/signup", url.Values{"utm_source": {"ads"}}); res.Header().Get("Location") != "/status?token=T" {
		t.Errorf("got %d to %q", res.Code, res.Header().Get("Location"))
	}
}

// Whoever chooses another language keeps what the link brought and was entered.
func TestAnotherLanguageKeepsTheForm(t *testing.T) {
	w := open(t)
	if body := w.do("GET", "/accept", nil).Body.String(); !strings.Contains(body, `formaction="/accept?lang=de"`) {
		t.Errorf("no way to another language: %s", body)
	}
	res := w.do("POST", "/signup?lang=de", url.Values{"show": {"1"}, "company_name": {"Acme"}, "email": {"a"}, "password": {"my secret password"}, "utm_source": {"ads"}})
	body := res.Body.String()
	for _, want := range []string{`<html lang="de">`, `value="Acme"`, `name="utm_source" value="ads"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if res.Code != http.StatusOK || len(w.asked) != 0 || strings.Contains(body, "my secret password") || strings.Contains(body, `role="alert"`) {
		t.Errorf("got %d, asked %v: %s", res.Code, w.asked, body)
	}
	if body := w.do("POST", "/accept?lang=de", url.Values{"show": {"1"}, "token": {"tnt_in_abc"}}).Body.String(); !strings.Contains(body, `value="tnt_in_abc"`) {
		t.Errorf("the token is gone: %s", body)
	}
}

// What another site has a browser send is refused.
func TestOtherSitesSendNothing(t *testing.T) {
	w := open(t)
	for _, path := range append(light, "/session", "/session/end", "/verify", "/verify/again") {
		res := w.do("POST", path, url.Values{}, "Sec-Fetch-Site", "cross-site", "Cookie", "tenantry_session=x")
		if res.Code != http.StatusForbidden || len(w.asked) > 0 || len(res.Result().Cookies()) > 0 {
			t.Errorf("%s: got %d, asked %v", path, res.Code, w.asked)
		}
	}
}

func TestTheCookieIsTradedForAToken(t *testing.T) {
	w := open(t)
	if res := w.do("POST", "/session", nil); res.Code != 401 || len(w.asked) > 0 {
		t.Errorf("without: got %d", res.Code)
	}
	w.answer = `{"access_token":"tnt_at_1","refresh_token":"tnt_rt_2","expires_in":900}`
	res := w.do("POST", "/session", nil, "Cookie", "tenantry_session=tnt_rt_1")
	if res.Code != 200 || strings.TrimSpace(res.Body.String()) != `{"access_token":"tnt_at_1","expires_in":900}` || res.Result().Cookies()[0].Value != "tnt_rt_2" {
		t.Errorf("got %d %s %v", res.Code, res.Body, res.Result().Cookies())
	}
	w.status, w.answer = 401, `{"status":401,"code":"invalid_token","detail":"No."}`
	res = w.do("POST", "/session", nil, "Cookie", "tenantry_session=tnt_rt_1")
	if c := res.Result().Cookies(); res.Code != 401 || len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("an ended one: got %d %v", res.Code, c)
	}
}

func TestTheApplicationWantsASession(t *testing.T) {
	w := open(t)
	res := w.do("GET", "/app/audit?page=2", nil)
	if res.Code != http.StatusSeeOther || res.Header().Get("Location") != "/login?next=%2Fapp%2Faudit%3Fpage%3D2" {
		t.Errorf("got %d to %q", res.Code, res.Header().Get("Location"))
	}
	res = w.do("GET", "/app/audit", nil, "Cookie", "tenantry_session=x")
	body := res.Body.String()
	if res.Code != 200 || !strings.Contains(body, "island") && !strings.Contains(body, "make build") {
		t.Errorf("got %d %s", res.Code, body)
	}
	if found := regexp.MustCompile(`https?://|ZgotmplZ|\son\w+=`).FindString(body); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

// Whoever follows the link of a mail signs in first and comes back; only the
// button uses the token, so nothing that merely looks at links does.
func TestConfirmingAnAddress(t *testing.T) {
	w := open(t)
	res := w.do("GET", "/verify?token=tnt_ot_1", nil)
	if res.Code != http.StatusSeeOther || res.Header().Get("Location") != "/login?next=%2Fverify%3Ftoken%3Dtnt_ot_1" {
		t.Errorf("signed out: got %d to %q", res.Code, res.Header().Get("Location"))
	}
	if res := w.do("POST", "/verify", url.Values{"token": {"tnt_ot_1"}}); res.Header().Get("Location") != "/login?next=%2Fverify%3Ftoken%3Dtnt_ot_1" {
		t.Errorf("signed out meanwhile: got %d to %q", res.Code, res.Header().Get("Location"))
	}
	body := w.do("GET", "/verify?token=%22%3E%3Cb%3E", nil, "Cookie", "tenantry_session=tnt_rt_1").Body.String()
	if !strings.Contains(body, `type="hidden" name="token" value="&#34;&gt;&lt;b&gt;"`) || strings.Contains(body, "data-token") {
		t.Errorf("the page does not carry the token: %s", body)
	}
	if body := w.do("GET", "/verify", nil, "Cookie", "tenantry_session=tnt_rt_1").Body.String(); !strings.Contains(body, "data-token") {
		t.Error("without a token there is no field for it")
	}
	if len(w.asked) > 0 {
		t.Errorf("the pages asked %v", w.asked)
	}
	w.answer = `{"access_token":"tnt_at_1","refresh_token":"tnt_rt_2","expires_in":900}`
	for page, want := range map[string]asked{
		"/verify":       {"POST", "/api/auth/email/verify", `{"token":"tnt_ot_1"}`, "example.com", "Bearer tnt_at_1"},
		"/verify/again": {"POST", "/api/auth/email/send", "", "example.com", "Bearer tnt_at_1"},
	} {
		w.asked, w.refuse = nil, nil
		form := url.Values{"token": {" https://x.example/verify?token=tnt_ot_1 "}}
		res := w.do("POST", page, form, "Cookie", "tenantry_session=tnt_rt_1")
		if res.Code != 200 || len(w.asked) != 2 || w.asked[0].body != `{"refresh_token":"tnt_rt_1"}` || w.asked[1] != want || res.Result().Cookies()[0].Value != "tnt_rt_2" {
			t.Errorf("%s: got %d, asked %v", page, res.Code, w.asked)
		}
		w.refuse = map[string]int{want.path: 422}
		if res := w.do("POST", page, form, "Cookie", "tenantry_session=tnt_rt_1"); res.Code != 422 || page == "/verify" && !strings.Contains(res.Body.String(), "Not this one.") {
			t.Errorf("%s refused: got %d %s", page, res.Code, res.Body)
		}
		w.refuse = map[string]int{"/api/auth/refresh": 401}
		if res := w.do("POST", page, form, "Cookie", "tenantry_session=tnt_rt_1"); res.Code != http.StatusSeeOther || res.Result().Cookies()[0].MaxAge >= 0 {
			t.Errorf("%s with an ended session: got %d %v", page, res.Code, res.Result().Cookies())
		}
	}
}

// A person is shown a page, a program a problem; neither is kept.
func TestUnknownPage(t *testing.T) {
	w := open(t)
	for _, path := range []string{"/nope", "/page/page.html", "/dist/.gitignore", "/application", "/Setup"} {
		for accept, kind := range map[string]string{"text/html,*/*;q=0.8": "text/html; charset=utf-8", "*/*": "application/problem+json"} {
			res := w.do("GET", path, nil, "Accept", accept)
			h := res.Header()
			if res.Code != http.StatusNotFound || h.Get("Content-Type") != kind || h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") == "" {
				t.Errorf("%s for %q: got %d %v", path, accept, res.Code, h)
			}
			if whole := `"type":"/docs#problem-not_found"`; accept == "*/*" && (!strings.Contains(res.Body.String(), whole) || !strings.Contains(res.Body.String(), `"request_id":`) || !strings.Contains(res.Body.String(), `"errors":[]`)) {
				t.Errorf("%s: got %s, want the problem of the API", path, res.Body)
			}
			if strings.Contains(res.Body.String(), "nope") && !strings.Contains(res.Body.String(), "lang=") {
				t.Errorf("%s: the answer repeats the path", path)
			}
		}
	}
	for _, path := range []string{"/", "/app", "/status", "/icon.svg"} {
		if res := w.do("POST", path, url.Values{}); res.Code != http.StatusMethodNotAllowed || res.Header().Get("Allow") == "" {
			t.Errorf("POST %s: got %d", path, res.Code)
		}
	}
}

// Every sentence has its German; the choice is kept.
func TestGerman(t *testing.T) {
	w := open(t)
	for _, path := range append(light, "/nope") {
		res := w.do("GET", path+"?lang=de", nil)
		body := res.Body.String()
		if !strings.Contains(body, `<html lang="de">`) || len(res.Result().Cookies()) != 1 {
			t.Errorf("%s: %.60s", path, body)
		}
		if by := w.do("GET", path, nil, "Accept-Language", "de-AT,en;q=0.5").Body.String(); !strings.Contains(by, `<html lang="de">`) {
			t.Errorf("%s by the browser's wish: %.60s", path, by)
		}
	}
	if missing := console.Untranslated(); len(missing) > 0 {
		t.Errorf("no German for %q", missing)
	}
}

// What the API refuses is said in the language of the page as well, sentence by
// sentence; what it says in no other stays.
func TestRefusalsInGerman(t *testing.T) {
	for english, german := range map[string]string{
		"This field is required.":                                     "Dieses Feld ist nötig.",
		"The e-mail address or the password is wrong.":                "Die E-Mail-Adresse oder das Passwort ist falsch.",
		"The contrast with white is 2.50 to 1; text needs 4.5.":       "Der Kontrast zu Weiß ist 2,5 zu 1; Text braucht 4,5.",
		"Reason: The user is disabled.":                               "Grund: Die Person ist gesperrt.",
		"This field is required. This value is not acceptable.":       "Dieses Feld ist nötig. Dieser Wert ist nicht annehmbar.",
		"This field is required. Nobody translated this.":             "This field is required. Nobody translated this.",
		"Nobody translated this either, with 100%% and <b>marks</b>.": "Nobody translated this either, with 100%% and <b>marks</b>.",
		"Of the balance 12345 credits are free.":                      "Vom Saldo sind 12.345 frei.",
	} {
		w := open(t)
		answer, err := json.Marshal(map[string]any{"status": 422, "code": "validation_failed", "detail": english, "errors": []map[string]string{{"field": "company_name", "code": "x", "message": english}}})
		if err != nil {
			t.Fatal(err)
		}
		w.status, w.answer = 422, string(answer)
		body := html.UnescapeString(w.do("POST", "/signup?lang=de", url.Values{"company_name": {"A"}}).Body.String())
		if n := strings.Count(body, german); n != 2 {
			t.Errorf("%q: %d times %q in %s", english, n, german, body)
		}
		if body := html.UnescapeString(w.do("POST", "/signup", url.Values{"company_name": {"A"}}).Body.String()); strings.Count(body, english) != 2 {
			t.Errorf("%q is not said in English", english)
		}
	}
}

// A text of many sentences, as somebody's reason may be, is taken apart as far as
// the server speaks, not in every way there is.
func TestALongReasonInGerman(t *testing.T) {
	w := open(t)
	w.status, w.answer = 422, `{"status":422,"code":"x","detail":"`+strings.Repeat("Reason: This field is required. ", 60)+`Done."}`
	body := html.UnescapeString(w.do("POST", "/signup?lang=de", url.Values{"company_name": {"A"}}).Body.String())
	if want := strings.Repeat("Grund: Dieses Feld ist nötig. ", 7) + "Grund: This field is required. Reason:"; !strings.Contains(body, want) {
		t.Errorf("got %s", body)
	}
}
