package api_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// A stream ends with what opened it: nothing that is told afterwards comes.
func TestStreamsEndWithTheirToken(t *testing.T) {
	w := newActing(t, dbtest.SQLiteURL(t))
	owner := w.here.as(ownerEmail)
	act, grant := w.grant(w.here.as(staffEmail), w.owner)
	for name, c := range map[string]struct {
		token string
		end   func()
	}{
		"session": {owner.token, func() { owner.want("POST", "/api/auth/logout", "", 204) }},
		"grant":   {act.token, func() { w.root.want("DELETE", grant, "", 204) }},
	} {
		server := httptest.NewServer(w.here.h)
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/tenants/notifications/stream", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() && lines.Text() != "event: unread" {
		}
		c.end()
		w.root.want("POST", w.path("/credits/add"), `{"amount":5}`, 200) // tells the owner
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event: notification") {
				t.Errorf("%s: was told something after its end", name)
				break
			}
		}
		_ = res.Body.Close()
		server.Close()
	}
}
