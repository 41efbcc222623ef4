package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// source gives the next request of a connection, or nil when there are no
// more. Requests are built beforehand: the generator shares the machine with
// what it measures.
type source func(conn, i int) []byte

// client is some keep-alive connections to one server.
type client struct{ conns []*conn }

type conn struct {
	net.Conn
	r    *bufio.Reader
	took []time.Duration
	i    int
	size int64 // of the answers, headers left out
	bad  int
	say  string // what the first error was
}

func dial(addr string, n int) (*client, error) {
	c := &client{}
	for range n {
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			c.close()
			return nil, err
		}
		c.conns = append(c.conns, &conn{Conn: raw, r: bufio.NewReaderSize(raw, 64<<10)})
	}
	return c, nil
}

func (c *client) close() {
	for _, k := range c.conns {
		_ = k.Close()
	}
}

// sample is what one measurement saw.
type sample struct {
	requests int
	errors   int
	first    string // error
	span     time.Duration
	took     []time.Duration // sorted
	size     int             // mean size of an answer's body
}

func (s sample) quantile(q float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[min(len(s.took)-1, int(q*float64(len(s.took))))]
}

// run sends requests on all connections for the span, or until there are no
// more, and returns when every answer has come.
func (c *client) run(ctx context.Context, next source, span time.Duration) (sample, error) {
	begin := time.Now()
	end := begin.Add(span)
	var all sync.WaitGroup
	failures := make([]error, len(c.conns))
	for n, k := range c.conns {
		k.took, k.size, k.bad, k.say = k.took[:0], 0, 0, ""
		all.Go(func() {
			for now := time.Now(); now.Before(end) && ctx.Err() == nil; k.i++ {
				request := next(n, k.i)
				if request == nil {
					return
				}
				if failures[n] = k.ask(request); failures[n] != nil {
					return
				}
				then := time.Now()
				k.took = append(k.took, then.Sub(now))
				now = then
			}
		})
	}
	all.Wait()
	s := sample{span: time.Since(begin)}
	var size int64
	for _, k := range c.conns {
		s.took = append(s.took, k.took...)
		s.errors += k.bad
		size += k.size
		if s.first == "" {
			s.first = k.say
		}
	}
	s.requests = len(s.took)
	s.size = int(size) / max(1, s.requests)
	slices.Sort(s.took)
	return s, errors.Join(append(failures, ctx.Err())...)
}

// ask sends a request and reads its answer to the end.
func (k *conn) ask(request []byte) error {
	if _, err := k.Write(request); err != nil {
		return err
	}
	status, length, err := k.header()
	if err != nil {
		return err
	}
	if status >= 300 {
		k.bad++
		if k.say == "" {
			body, _ := k.r.Peek(min(length, 300))
			k.say = fmt.Sprintf("%d %s", status, body)
		}
	}
	k.size += int64(length)
	_, err = k.r.Discard(length)
	return err
}

// header reads the head of an answer.
func (k *conn) header() (status, length int, err error) {
	line, err := k.r.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, 0, errors.Join(errors.New("the server sent no status"), err)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, err
	}
	length = -1
	for {
		if line, err = k.r.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return 0, 0, err
			}
		}
	}
	if length < 0 && status != 204 {
		return 0, 0, errors.New("an answer without Content-Length")
	}
	return status, max(0, length), nil
}

// request builds one; token and body may be empty.
func request(method, path, token, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: application/json\r\n", method, path)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if body != "" || method != "GET" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// same is the source of one request for ever.
func same(r []byte) source { return func(int, int) []byte { return r } }

// rotate goes through the requests, each connection from another place.
func rotate(all [][]byte) source {
	return func(c, i int) []byte { return all[(c*7919+i)%len(all)] }
}
