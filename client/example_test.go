package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/tenantry/tenantry/client"
)

// Sign in, give an organization credits, and read what it has now.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(example)) // stands for the real one
	defer server.Close()
	ctx := context.Background()

	anonymous, err := client.New(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	c, err := anonymous.SignIn(ctx, "root@example.com", "correct-horse-battery")
	if err != nil {
		log.Fatal(err)
	}
	o, err := c.AddCredits(ctx, client.Slug("acme"), client.Credits{Amount: 500, Reason: "Welcome"}, client.IdempotencyKey("order-1042"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Name, "has", o.CreditsAvailable)

	_, err = c.AddCredits(ctx, client.Slug("nobody"), client.Credits{Amount: 500})
	fmt.Println(client.Code(err))
	// Output:
	// Acme has 750
	// not_found
}

func example(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/auth/login":
		_, _ = fmt.Fprint(w, `{"access_token":"tnt_at_x","token_type":"Bearer","expires_in":900,"refresh_token":"tnt_rt_x"}`)
	case "/api/tenants/organizations/acme/credits/add":
		_, _ = fmt.Fprint(w, `{"id":1,"name":"Acme","credits_available":750}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"status":404,"code":"not_found"}`)
	}
}
