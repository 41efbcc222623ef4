package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func newRequestContext(parent context.Context) *requestContext {
	return &requestContext{Context: parent, id: "abc", deadline: time.Now().Add(requestTimeout)}
}

func TestRequestEndsAtItsDeadline(t *testing.T) {
	for name, waited := range map[string]bool{"seen by nobody": false, "waited for": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newRequestContext(t.Context())
				defer c.end()
				if waited {
					c.Done()
				}
				time.Sleep(requestTimeout - time.Second)
				if err := c.Err(); err != nil {
					t.Fatalf("a second before: %v", err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				derived, cancel := context.WithCancel(c)
				defer cancel()
				for _, ctx := range []context.Context{c, derived} {
					if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("at the deadline: %v", err)
					}
					<-ctx.Done()
					if requestID(ctx) != "abc" {
						t.Error("the request's id is lost")
					}
				}
			})
		})
	}
}

func TestRequestEndsWithItsConnection(t *testing.T) {
	connection, hangUp := context.WithCancel(t.Context())
	early, late := newRequestContext(connection), newRequestContext(connection)
	defer early.end()
	defer late.end()
	waits := early.Done()
	hangUp()
	<-waits
	<-late.Done()
	for _, c := range []*requestContext{early, late} {
		if err := c.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("after the connection's end: %v", err)
		}
	}
}

func TestDerivingFromARequestStartsNoGoroutine(t *testing.T) {
	c := newRequestContext(t.Context())
	defer c.end()
	before := runtime.NumGoroutine()
	for range 100 {
		_, cancel := context.WithCancel(c)
		defer cancel()
	}
	if n := runtime.NumGoroutine() - before; n > 50 {
		t.Errorf("%d goroutines for 100 derived contexts", n)
	}
}

func TestWhatTheServerAsksItselfHasTheSameID(t *testing.T) {
	outer := httptest.NewRequest("GET", "/signup", nil)
	id := requestIDOf(outer)
	inner := outer.WithContext(&requestContext{Context: t.Context(), id: id})
	if other := requestIDOf(outer); other == id {
		t.Fatal("two requests have one id")
	}
	if same := requestIDOf(inner); same != id {
		t.Errorf("got %s within %s", same, id)
	}
}
