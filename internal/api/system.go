package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tenantry/tenantry/internal/fault"
)

// system adds what is no business of a tenant: health, figures, documentation
// and the console.
func (s *Server) system() {
	// Few ask for it, and it would be most of the work of a start.
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.huma.OpenAPI()) })
	s.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { ok(w) })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		b, err := document()
		if err != nil {
			writeProblem(w, r, fmt.Errorf("write the OpenAPI document: %w", err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b)
	})
	s.mux.HandleFunc("GET /docs", s.docs)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page := !strings.HasPrefix(r.URL.Path, "/api/") && pageMethods[r.Method] && len(s.methods(r)) == 0
		switch {
		case page && s.Console != nil:
			s.Console.ServeHTTP(w, r)
		default:
			s.absent(w, r)
		}
	})
}

// pageMethods are those of a browser that follows links and sends forms.
var pageMethods = map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPost: true}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"status\":\"ok\"}\n"))
}

// ready probes a write: a store that only reads is not ready.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := s.DB.Ping(ctx); err != nil {
		writeProblem(w, r, fault.New(fault.Unavailable, "not_ready", "The database does not take writes.").After(time.Second).Because(err))
		return
	}
	ok(w)
}

// meter holds the request figures. A child is resolved once, by the first answer
// that it counts: nobody has to scrape what never happened.
type meter struct {
	seconds *prometheus.HistogramVec
	known   map[string]*[len(classes)]func() prometheus.Observer // by pattern and class, filled before serving
	other   prometheus.Observer
}

func newMeter(r *prometheus.Registry) *meter {
	m := &meter{known: map[string]*[len(classes)]func() prometheus.Observer{}}
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tenantry_http_request_seconds", Help: "Time to answer, by route and class of status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
	}, []string{"route", "status"})
	r.MustRegister(m.seconds)
	m.other = m.seconds.WithLabelValues("other", "")
	return m
}

var classes = [...]string{"", "1xx", "2xx", "3xx", "4xx", "5xx"}

// add prepares the figures of a route.
func (m *meter) add(pattern string) {
	var all [len(classes)]func() prometheus.Observer
	for i, c := range classes[1:] {
		all[i+1] = sync.OnceValue(func() prometheus.Observer { return m.seconds.WithLabelValues(pattern, c) })
	}
	m.known[pattern] = &all
}

func (m *meter) observe(r *http.Request, status int, took time.Duration) {
	if known := m.known[r.Pattern]; known != nil {
		known[min(max(status/100, 1), 5)]().Observe(took.Seconds())
		return
	}
	m.other.Observe(took.Seconds())
}
