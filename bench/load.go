package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/test/binary"
)

const (
	// lingering bounds the answers that come after a load has ended.
	lingering = 30 * time.Second
	// readBuffer holds a whole answer of twenty-five items.
	readBuffer = 16 << 10
	// maxAnswer bounds the body of an answer, in bytes.
	maxAnswer = 1 << 20
)

// signed makes the bytes of a signed POST with a JSON body. They are good for
// fifteen minutes, as often as they are sent.
func signed(ctx context.Context, key access.Key, address, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256(body)
	pair := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}
	if err := v4.NewSigner().SignHTTP(ctx, pair, req, hex.EncodeToString(sum[:]), access.ServicePersonalize, binary.Region, time.Now()); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := req.Write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// connection sends requests that were written before, one at a time. It costs
// far less than net/http's client, which would measure itself on a small machine.
type connection struct {
	net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

func dial(ctx context.Context, address string) (*connection, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReaderSize(c, readBuffer)}, nil
}

// hangUp closes the connection, of which nothing is wanted any more.
func (c *connection) hangUp() { _ = c.Close() }

// call sends a request and reads its answer, which is good until the next call.
// An answer other than 200 is an error.
func (c *connection) call(request []byte) ([]byte, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	c.body.Reset()
	_, err = c.body.ReadFrom(io.LimitReader(resp.Body, maxAnswer))
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s: %s", resp.Status, strings.TrimSpace(c.body.String()))
	}
	return c.body.Bytes(), nil
}

// load is what came of sending requests.
type load struct {
	took    time.Duration
	latency []time.Duration // sorted
	late    []time.Duration // open loop: how late requests were handed to a connection; sorted
}

func (l *load) rate() float64              { return float64(len(l.latency)) / l.took.Seconds() }
func (l *load) at(q float64) time.Duration { return quantile(l.latency, q) }

// supply hands out requests to connections: round and round, or each once.
type supply struct {
	requests [][]byte
	once     bool
	next     atomic.Int64
}

func (s *supply) take() ([]byte, bool) {
	i := s.next.Add(1) - 1
	if s.once && i >= int64(len(s.requests)) {
		return nil, false
	}
	return s.requests[i%int64(len(s.requests))], true
}

// closed keeps n connections busy for d, each sending its next request when the
// last was answered. With n = 1 that is one call after the other.
func closed(ctx context.Context, address string, s *supply, n int, d time.Duration) (*load, error) {
	return drive(ctx, address, n, d, func(begin time.Time, c *connection, into *[]time.Duration) error {
		for time.Since(begin) < d && ctx.Err() == nil {
			request, ok := s.take()
			if !ok {
				return nil
			}
			sent := time.Now()
			if _, err := c.call(request); err != nil {
				return err
			}
			*into = append(*into, time.Since(sent))
		}
		return ctx.Err()
	})
}

// open sends rate requests a second for d, whatever becomes of them, over at
// most n connections. A latency counts from when the request was meant to be
// sent, so that waiting for a free connection is part of it.
func open(ctx context.Context, address string, s *supply, rate, n int, d time.Duration) (*load, error) {
	total := int(d.Seconds() * float64(rate))
	due := make(chan time.Time, total) // never blocks the pacer
	var late []time.Duration
	var once sync.Once
	pace := func(begin time.Time) {
		runtime.LockOSThread() // it sleeps in the kernel: Go's own timers are a millisecond coarse on an idle process
		defer runtime.UnlockOSThread()
		defer close(due)
		for i := range total {
			at := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
			for left := time.Until(at); left > 0; left = time.Until(at) {
				pause(left)
			}
			if ctx.Err() != nil {
				return
			}
			late = append(late, time.Since(at))
			due <- at
		}
	}
	l, err := drive(ctx, address, n, d, func(begin time.Time, c *connection, into *[]time.Duration) error {
		once.Do(func() { go pace(begin) })
		for at := range due {
			request, _ := s.take()
			if _, err := c.call(request); err != nil {
				return err
			}
			*into = append(*into, time.Since(at))
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(late)
	l.late = late
	return l, nil
}

// drive runs work on n connections at once and gathers the latencies.
func drive(ctx context.Context, address string, n int, d time.Duration, work func(time.Time, *connection, *[]time.Duration) error) (*load, error) {
	connections := make([]*connection, n)
	for i := range connections {
		c, err := dial(ctx, address)
		if err != nil {
			return nil, err
		}
		defer c.hangUp()
		if err := c.SetDeadline(time.Now().Add(d + lingering)); err != nil {
			return nil, err
		}
		connections[i] = c
	}
	latencies, errs := make([][]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	begin := time.Now()
	for i, c := range connections {
		wg.Go(func() { errs[i] = work(begin, c, &latencies[i]) })
	}
	wg.Wait()
	l := &load{took: time.Since(begin), latency: slices.Concat(latencies...)}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(l.latency)
	return l, nil
}
