package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/text"
)

func TestName(t *testing.T) {
	for in, want := range map[string]struct{ out, code string }{
		"Acme":                              {"Acme", ""},
		"  Ärzte & Söhne \u00a0":            {"Ärzte & Söhne", ""},
		"Cafe\u0301":                        {"Café", ""},
		"日本語 \U0001F600":                    {"日本語 \U0001F600", ""},
		"":                                  {"", "required"},
		" \t\u2003":                         {"", "required"},
		"a\nb":                              {"", "invalid_text"},
		"a\tb":                              {"", "invalid_text"},
		"a\x00b":                            {"", "invalid_text"},
		"a\x7fb":                            {"", "invalid_text"},
		"a\u0085b":                          {"", "invalid_text"},
		"pay\u202epal":                      {"", "invalid_text"}, // right-to-left override
		"\u2066x\u2069":                     {"", "invalid_text"}, // isolates
		"a\u200bb":                          {"", "invalid_text"}, // zero-width space
		"a\u200db":                          {"", "invalid_text"}, // zero-width joiner
		"a\ufeffb":                          {"", "invalid_text"}, // byte order mark
		"a\u00adb":                          {"", "invalid_text"}, // soft hyphen
		"a\u2028b":                          {"", "invalid_text"}, // line separator
		"\u3164":                            {"", "invalid_text"}, // Hangul filler
		"\U000E0041":                        {"", "invalid_text"}, // tag
		"a\ufffdb":                          {"", "invalid_text"},
		"a\xffb":                            {"", "invalid_text"},
		strings.Repeat("ü", 20):             {strings.Repeat("ü", 20), ""},
		strings.Repeat("ü", 21):             {"", "too_long"},
		strings.Repeat("u\u0308", 20):       {strings.Repeat("ü", 20), ""},
		" " + strings.Repeat("x", 20) + " ": {strings.Repeat("x", 20), ""},
	} {
		var v fault.Validation
		got := text.Name("name", in, 20, &v)
		if code := fault.Code(v.Err()); code != want.code || code == "" && got != want.out {
			t.Errorf("%q: got %q, %q, want %q, %q", in, got, code, want.out, want.code)
		}
	}
}

func TestProseHasLines(t *testing.T) {
	for in, code := range map[string]string{"": "", "a\nb\tc": "", "a\r\nb": "", "a\x00b": "invalid_text", "a\u202eb": "invalid_text", "a\vb": "invalid_text"} {
		var v fault.Validation
		out := text.Prose("description", in, 100, &v)
		if got := fault.Code(v.Err()); got != code {
			t.Errorf("%q: got %q, want %q", in, got, code)
		}
		if strings.Contains(out, "\r") && code == "" {
			t.Errorf("%q: got %q, want line feeds alone", in, out)
		}
	}
	var v fault.Validation
	if got := text.Line("reason", "", 10, &v); got != "" || v.Err() != nil {
		t.Errorf("an optional line: got %q, %v", got, v.Err())
	}
}

func TestEmail(t *testing.T) {
	for in, want := range map[string]string{
		"user@example.com": "user@example.com", " User@Example.COM ": "user@example.com", "user@example.com.": "user@example.com",
		"u.s+tag@sub.example.co": "u.s+tag@sub.example.co", "o'neil@example.com": "o'neil@example.com",
		"": "", "user": "", "@example.com": "", "user@": "", "user@localhost": "", "user@example..com": "", "user@.example.com": "",
		"user@@example.com": "", "a b@example.com": "", "Jo <jo@example.com>": "", "a@b.co, c@d.co": "", "a@b.co\nBcc: c@d.co": "", "\"a b\"@example.com": "",
		"us\u200ber@example.com": "", "us\u202eer@example.com": "", strings.Repeat("a", 65) + "@example.com": "", "a@" + strings.Repeat("b", 250) + ".co": "",
		".a@example.com": "", "a..b@example.com": "", "a@example.com:25": "", "a\\@example.com": "",
		"a@[127.0.0.1]": "", "a@[IPv6:::1]": "", "a@127.0.0.1": "", "a@127.0.0.0x1": "", "a@b.0xcafe.com": "a@b.0xcafe.com",
	} {
		var v fault.Validation
		address, key := text.Email("email", in, &v)
		code := map[bool]string{true: "invalid_email"}[want == ""]
		if got := fault.Code(v.Err()); got != code || key != want || (address == "") != (want == "") {
			t.Errorf("%q: got %q, %q, %q, want %q", in, address, key, got, want)
		}
	}
}

func TestPhone(t *testing.T) {
	for in, code := range map[string]string{"": "", "+49 (0)30 / 123-45.67": "", "1234": "", "123": "invalid_phone", "phone": "invalid_phone", "+1;ext=5": "invalid_phone",
		strings.Repeat("1", 41): "invalid_phone", "١٢٣٤٥": "invalid_phone"} {
		var v fault.Validation
		text.Phone("phone", in, &v)
		if got := fault.Code(v.Err()); got != code {
			t.Errorf("%q: got %q, want %q", in, got, code)
		}
	}
}

func TestKeyAndLike(t *testing.T) {
	for in, want := range map[string]string{" ÄCME ": "äcme", "Cafe\u0301": "café", "ſ": "ſ", "": ""} {
		if got := text.Key(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"50%_\\": `%50\%\_\\%`, "Ä": "%ä%"} {
		if got := text.Like(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Whatever is typed: what passes is clean, and cleaning it again changes nothing.
func FuzzName(f *testing.F) {
	for _, s := range []string{"Acme", "Cafe\u0301", "a\u202eb", "\xff", " x ", "\u1100\u1161", "\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v fault.Validation
		got := text.Name("name", s, 50, &v)
		if v.Err() != nil {
			return
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 50 || got == "" || strings.ContainsAny(got, "\x00\n\u202e\u200b") {
			t.Errorf("%q passed as %q", s, got)
		}
		if again := text.Name("name", got, 50, &v); again != got || v.Err() != nil {
			t.Errorf("%q, cleaned again: %q, %v", got, again, v.Err())
		}
		if k := text.Key(got); text.Key(k) != k {
			t.Errorf("the key of %q is not a key: %q", got, k)
		}
	})
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"user@example.com", "a@b.co.", "\"a\"@b.co", "a@[1.2.3.4]", "A@Ä.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v fault.Validation
		address, key := text.Email("email", s, &v)
		if v.Err() != nil {
			return
		}
		if strings.ContainsAny(address, " \r\n<>,;\x00") || strings.Count(address, "@") != 1 {
			t.Errorf("%q passed as %q", s, address)
		}
		if again, k := text.Email("email", address, &v); again != address || k != key {
			t.Errorf("%q again: %q, %q, want %q", address, again, k, key)
		}
	})
}
