package api

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/usage"
)

// Server is the HTTP interface. Its exported fields are what the routes work
// with; all are set before Handler is called.
type Server struct {
	// DB is a handle without a scope: every request gives it the caller's.
	DB   *db.DB
	Auth *auth.Service
	// Registration takes and provisions requests.
	Registration *registration.Service
	// Organizations invites people and lets them in.
	Organizations *org.Service
	// Usage takes reports and answers checks.
	Usage *usage.Service
	// Branding answers what brand holds for a request.
	Branding *branding.Service
	// Hosts are the platform's own host names, nobody's custom domain.
	Hosts []string
	// Resolver looks up what proves a custom domain.
	Resolver *domain.Resolver
	// PublicRate is how many requests a minute one address may send to public
	// routes; 0 is no limit.
	PublicRate int
	// TrustedProxies are the networks whose X-Forwarded headers count.
	TrustedProxies []netip.Prefix
	// Console serves everything that is no API; nil answers 404.
	Console http.Handler
	// Version is the product's, for the OpenAPI document.
	Version string
	// Stopping is closed when the server is to stop: live streams end then, for
	// nobody could wait for them. Nil is never.
	Stopping <-chan struct{}
	// Metrics collects the request figures; nil makes a registry of its own.
	Metrics *prometheus.Registry

	started db.Time
	mux     *http.ServeMux
	huma    huma.API
	limiter *limiter
	proxies proxies
	ops     []op
	slow    map[string]bool // paths of requests that have no deadline
	meter   *meter
	credits *credit.Queue

	docsOnce func() ([]byte, error)
}

// requestTimeout bounds one request, waiting for the store included.
const requestTimeout = 30 * time.Second

// Handler puts every route on a mux and gives the whole of it. It panics when
// a route has no permission: such a server must not start.
func (s *Server) Handler() http.Handler { return s.serve(s.routes()) }

func (s *Server) serve(routes []route) http.Handler {
	s.mux, s.slow, s.started = http.NewServeMux(), map[string]bool{}, db.At(time.Now())
	s.limiter = newLimiter(s.PublicRate)
	s.proxies = s.TrustedProxies
	if s.Metrics == nil {
		s.Metrics = prometheus.NewRegistry()
	}
	s.meter = newMeter(s.Metrics)
	s.credits = &credit.Queue{DB: s.DB.In(db.Platform), Admit: s.admitSpenders}
	s.huma = s.newHuma()
	for _, r := range routes {
		s.bind(r)
	}
	s.finishDocument()
	s.docsOnce = s.renderDocs()
	s.system()
	return s.outer(s.mux)
}

// bind puts a route on the mux; PATCH is the same handler as PUT.
func (s *Server) bind(r route) {
	if r.op.May.Name == "" {
		panic(fmt.Sprintf("api: %s %s has no permission", r.op.Method, r.op.Path))
	}
	if r.op.Slow {
		if strings.Contains(r.op.Path, "{") {
			panic("api: " + r.op.Path + " is slow, and known by its path alone")
		}
		s.slow[r.op.Path] = true
	}
	r.bind(s, r.op)
	s.ops = append(s.ops, r.op)
	if r.op.Method == http.MethodPut {
		r.op.Method, r.op.ID = http.MethodPatch, "patch-"+r.op.ID
		r.bind(s, r.op)
		s.ops = append(s.ops, r.op)
	}
}

// outer is what every request meets first: a request id, the headers of every
// answer, a clean path, a deadline, and somebody who catches a panic.
func (s *Server) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rid := requestIDOf(r)
		ctx := &requestContext{Context: r.Context(), id: rid}
		if !s.slow[r.URL.Path] {
			ctx.deadline = start.Add(requestTimeout)
			defer ctx.end()
		}
		r = r.WithContext(ctx)
		rec := &recorder{ResponseWriter: w}
		s.headers(rec.Header(), r, rid)
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				slog.Error("panic", "request_id", rid, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if rec.status == 0 {
					writeProblem(rec, r, fault.New(fault.Internal, "internal", "Something went wrong on our side. The request id helps us find it."))
				}
			}
			s.meter.observe(r, rec.status, time.Since(start))
		}()
		if !cleanPath(r) {
			writeProblem(rec, r, fault.Missing())
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// requestIDOf takes X-Request-Id if it is sane, else makes one. What the server
// asks itself, for a page of the console, is of the same request.
func requestIDOf(r *http.Request) string {
	if same := requestID(r.Context()); same != "" {
		return same
	}
	given := r.Header.Get("X-Request-Id")
	if n := len(given); n > 0 && n <= 128 && strings.Trim(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+/@~") == "" {
		return given
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

// headers sets what every answer carries; an HTML page replaces the policy.
// The values that never change are shared: whoever changes one sets a new slice.
func (s *Server) headers(h http.Header, r *http.Request, rid string) {
	h["X-Request-Id"] = []string{rid}
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = referrer
	h["Cross-Origin-Opener-Policy"] = opener
	h["Content-Security-Policy"] = policy
	if s.proxies.secure(r) {
		h["Strict-Transport-Security"] = transport
	}
}

var (
	noSniff   = []string{"nosniff"}
	referrer  = []string{"strict-origin-when-cross-origin"}
	opener    = []string{"same-origin"}
	policy    = []string{"default-src 'none'; frame-ancestors 'none'"}
	transport = []string{"max-age=31536000; includeSubDomains"}
)

// cleanPath refuses whatever a mux or a proxy could read as another path.
func cleanPath(r *http.Request) bool {
	p := r.URL.Path
	return r.URL.RawPath == "" && p != "" && p[0] == '/' &&
		(path.Clean(p) == p || path.Clean(p)+"/" == p) &&
		!strings.ContainsAny(p, ";\\\x00")
}

// absent answers what no route matched.
func (s *Server) absent(w http.ResponseWriter, r *http.Request) {
	if allow := s.methods(r); len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
	}
	writeProblem(w, r, s.unmatched(r))
}

// unmatched is the refusal of what no route matches: 405 where another method
// would have, else 404.
func (s *Server) unmatched(r *http.Request) error {
	allow := s.methods(r)
	if len(allow) == 0 {
		return fault.Missing()
	}
	return fault.New(fault.MethodUnknown, "method_not_allowed", "This path takes %s.", strings.Join(allow, ", "))
}

// methods are those that the path of r takes.
func (s *Server) methods(r *http.Request) (allow []string) {
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "/" && pattern != "" {
			allow = append(allow, m)
		}
	}
	return allow
}

// HostOf is the host name that a request was sent to, for the console.
func (s *Server) HostOf(r *http.Request) string { return proxies(s.TrustedProxies).host(r) }

// SecureOf reports a request that came over TLS, for the console.
func (s *Server) SecureOf(r *http.Request) bool { return proxies(s.TrustedProxies).secure(r) }
