package api

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds public requests per client address. It remembers at most
// maxClients addresses; when full it forgets those that have their whole
// allowance again.
type limiter struct {
	perMinute int

	mu      sync.Mutex // guards clients
	clients map[netip.Prefix]*rate.Limiter
}

const maxClients = 100_000

func newLimiter(perMinute int) *limiter {
	return &limiter{perMinute: perMinute, clients: map[netip.Prefix]*rate.Limiter{}}
}

// allow counts a request. An IPv6 customer has a whole /64.
func (l *limiter) allow(a netip.Addr, now time.Time) bool {
	if l.perMinute == 0 {
		return true
	}
	bits := 32
	if a.Is6() {
		bits = 64
	}
	client, err := a.Prefix(bits)
	if err != nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[client]
	if c == nil {
		if len(l.clients) >= maxClients {
			l.forget(now)
		}
		c = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.clients[client] = c
	}
	return c.AllowN(now, 1)
}

// forget drops the idle addresses, and if none is idle, all.
func (l *limiter) forget(now time.Time) {
	for k, c := range l.clients {
		if c.TokensAt(now) >= float64(l.perMinute) {
			delete(l.clients, k)
		}
	}
	if len(l.clients) >= maxClients {
		clear(l.clients)
	}
}

// wait is how long until one more request is allowed.
func (l *limiter) wait() time.Duration { return time.Minute / time.Duration(max(1, l.perMinute)) }

// proxies are the networks whose forwarded headers count.
type proxies []netip.Prefix

func (p proxies) trusts(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return a.Addr().Unmap()
}

// client is the address of the caller: the last one in X-Forwarded-For that is
// not a trusted proxy, if a trusted proxy sent the request.
func (p proxies) client(r *http.Request) netip.Addr {
	a := peer(r)
	if !p.trusts(a) {
		return a
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return a
		}
		a = hop.Unmap()
		if !p.trusts(a) {
			return a
		}
	}
	return a
}

// host is the host name the request was sent to: lower case, without port.
func (p proxies) host(r *http.Request) string {
	h := r.Host
	if f := r.Header.Get("X-Forwarded-Host"); f != "" && p.trusts(peer(r)) {
		h = f
	}
	if i := strings.LastIndexByte(h, ':'); i > 0 && !strings.HasSuffix(h, "]") {
		h = h[:i]
	}
	return strings.TrimSuffix(strings.ToLower(h), ".")
}

// secure reports a request that came over TLS, here or at a trusted proxy.
func (p proxies) secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" && p.trusts(peer(r))
}
