// Command ecommerce is the back end of a small shop plugin: an example of a
// service that asks Tenantry before it acts, reports what was used, and spends
// credits for what it did.
//
//	TENANTRY_URL=http://127.0.0.1:8080 TENANTRY_API_KEY=tnt_sk_… go run ./examples/ecommerce -addr 127.0.0.1:8090
//	curl -X POST 127.0.0.1:8090/shops/acme-corp/orders -d '{"items":3}'
//	curl -X POST 127.0.0.1:8090/shops/acme-corp/orders/ORDER/ship
//	curl -X DELETE 127.0.0.1:8090/shops/acme-corp/orders/ORDER
//	curl -X PUT 127.0.0.1:8090/shops/acme-corp/pictures/hat.png --data-binary @hat.png
//
// An order is checked from memory (client.Entitlements), its credits are held
// until it is shipped or cancelled, and its traffic is reported later together
// with that of others. A picture sets its room aside in Tenantry before it is
// stored, and consumes a credit. The key needs the scopes entitlements:read,
// usage:write and credits:spend.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/client"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, os.Getenv("TENANTRY_URL"), os.Getenv("TENANTRY_API_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, "ecommerce:", err)
		os.Exit(1)
	}
}

// serve runs the shop until ctx ends; what was not reported yet is reported
// then.
func serve(ctx context.Context, addr, url, key string) error {
	c, err := client.New(url, client.WithToken(key), client.WithUserAgent("ecommerce-example"))
	if err != nil {
		return err
	}
	s := newShop(c)
	server := &http.Server{Addr: addr, Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	var all sync.WaitGroup
	working, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()
	all.Go(func() { s.reporter.run(working) })
	all.Go(func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(working, 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last) // requests that take longer are cut off
		rest()
	})
	err = server.ListenAndServe()
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	all.Wait()
	return nil
}
