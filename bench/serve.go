package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/test/binary"
)

const (
	factors     = 64   // d of the model
	askFor      = 10   // items of an answer
	serveRuns   = 3    // repetitions; medians of them are shown
	connections = 16   // of the closed loop
	openRate    = 2000 // requests/s of the open loop
	openMost    = 256  // connections that the open loop may use
	warmUp      = 500 * time.Millisecond
	// maxEcho bounds what the echo reads.
	maxEcho = 1 << 20
	// headerTimeout bounds a client of the echo, which is us.
	headerTimeout = 10 * time.Second
)

// serve measures GetRecommendations beside a server that only checks signatures.
func (b *bench) serve() error {
	t, err := b.trained()
	if err != nil {
		return err
	}
	answer, err := b.firstAnswer(t)
	if err != nil {
		return err
	}
	echo, err := b.startEcho(t.Key, answer)
	if err != nil {
		return err
	}
	defer echo.end()
	targets := []*target{{name: "attune", address: t.address()}, {name: "echo", address: echo.address}}
	for run := range pick(b, serveRuns, 1) {
		for _, at := range targets {
			b.say("serving: %s, run %d", at.name, run+1)
			if err := b.askTarget(at, t); err != nil {
				return fmt.Errorf("%s: %w", at.name, err)
			}
		}
	}
	b.note("%s users × %s items × %s interactions, d = %d, top %d of all items, each answer for another user; signatures made before, %d bytes an answer; "+
		"requests from one process on the same machine over kept connections. "+
		"Beside it, in a second process, a net/http server that verifies the same signatures and answers a body of the same size. "+
		"Medians of %d repetitions in turns, %s a load. The open loop sends %d/s whatever comes back and counts from when a request was meant to be sent:",
		figure(t.manifest.Users), figure(t.manifest.Items), figure(t.manifest.Interactions), factors, askFor, len(answer), pick(b, serveRuns, 1), b.serveTime(), openRate)
	serveTable(targets).write(b.out)
	b.note("The generator itself handed the open loop's requests over %s (p50) and %s (p99) late, which is part of those latencies on both sides.",
		figure(median(targets[0].late50)), figure(median(targets[0].late99)))
	return nil
}

func (b *bench) serveTime() time.Duration { return pick(b, 6*time.Second, 300*time.Millisecond) }

// target is a server and what was measured of it, a value per repetition.
type target struct {
	name, address  string
	loads          [3]loads
	late50, late99 []time.Duration
}

type loads struct {
	p50, p99 []time.Duration
	rate     []float64
}

func (l *loads) add(x *load) {
	l.p50, l.p99, l.rate = append(l.p50, x.at(0.5)), append(l.p99, x.at(0.99)), append(l.rate, x.rate())
}

// askTarget runs the three loads against one server, with fresh signatures.
func (b *bench) askTarget(at *target, t *trained) error {
	s, err := b.recommendations(at.address, t)
	if err != nil {
		return err
	}
	if _, err := closed(b.ctx, at.address, s, connections, warmUp); err != nil {
		return err
	}
	for i, n := range []int{1, connections} {
		l, err := closed(b.ctx, at.address, s, n, b.serveTime())
		if err != nil {
			return err
		}
		at.loads[i].add(l)
	}
	l, err := open(b.ctx, at.address, s, openRate, openMost, b.serveTime())
	if err != nil {
		return err
	}
	at.loads[2].add(l)
	at.late50, at.late99 = append(at.late50, quantile(l.late, 0.5)), append(at.late99, quantile(l.late, 0.99))
	return nil
}

// recommendations signs a request for every user, in no order.
func (b *bench) recommendations(address string, t *trained) (*supply, error) {
	s := &supply{}
	for _, u := range rand.New(rand.NewPCG(1, 1)).Perm(t.world.Spec().Users) {
		request, err := signed(b.ctx, t.Key, address, "/recommendations", t.ask(t.world.UserID(u)))
		if err != nil {
			return nil, err
		}
		s.requests = append(s.requests, request)
	}
	return s, nil
}

// ask is the body of a request for a user's page.
func (t *trained) ask(user string) []byte {
	return []byte(`{"campaignArn":` + strconv.Quote(t.campaign) + `,"userId":` + strconv.Quote(user) + `,"numResults":` + strconv.Itoa(askFor) + `}`)
}

// page is the part of an answer that we look at.
type page struct {
	ItemList []struct {
		ItemID string `json:"itemId"`
	} `json:"itemList"`
}

// firstAnswer asks once, to see that answers are whole, and for the echo to give back.
func (b *bench) firstAnswer(t *trained) ([]byte, error) {
	request, err := signed(b.ctx, t.Key, t.address(), "/recommendations", t.ask(t.world.UserID(0)))
	if err != nil {
		return nil, err
	}
	c, err := dial(b.ctx, t.address())
	if err != nil {
		return nil, err
	}
	defer c.hangUp()
	answer, err := c.call(request)
	if err != nil {
		return nil, err
	}
	var p page
	if err := json.Unmarshal(answer, &p); err != nil {
		return nil, err
	}
	if len(p.ItemList) != askFor {
		return nil, fmt.Errorf("an answer has %d items, not %d: %s", len(p.ItemList), askFor, answer)
	}
	return answer, nil
}

func serveTable(targets []*target) *table {
	t := newTable("load", "attune p50", "echo p50", "ratio", "attune p99", "echo p99", "ratio", "attune /s", "echo /s", "ratio")
	a, e := targets[0], targets[1]
	for i, name := range []string{"sequential", fmt.Sprintf("closed loop, %d connections", connections), fmt.Sprintf("open loop, %d/s", openRate)} {
		x, y := a.loads[i], e.loads[i]
		ratio := func(p, q time.Duration) float64 { return p.Seconds() / q.Seconds() }
		t.add(name, median(x.p50), median(y.p50), ratio(median(x.p50), median(y.p50)),
			median(x.p99), median(y.p99), ratio(median(x.p99), median(y.p99)),
			median(x.rate), median(y.rate), median(x.rate)/median(y.rate))
	}
	return t
}

// echoTask is what the echo is told.
type echoTask struct {
	KeyID, Secret string
	Answer        []byte
}

// echo is the child that answers the same bytes to every signed request.
type echo struct {
	cmd     *exec.Cmd
	in      io.Closer
	address string
}

func (b *bench) startEcho(key access.Key, answer []byte) (*echo, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(b.ctx, self, childArg, "echo")
	cmd.Stderr = b.log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e := &echo{cmd: cmd, in: in}
	err = json.NewEncoder(in).Encode(echoTask{key.ID, key.Secret, answer})
	if err == nil {
		e.address, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		e.end()
		return nil, fmt.Errorf("start the echo: %w", err)
	}
	e.address = strings.TrimSpace(e.address)
	return e, nil
}

// end closes the child's input, at which it ends, as it would if we died.
func (e *echo) end() {
	e.in.Close()
	_ = e.cmd.Wait()
}

// echoChild serves until its input ends.
func echoChild(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	var task echoTask
	if err := decoder.Decode(&task); err != nil {
		return err
	}
	verifier := access.NewVerifier(access.NewRing(access.Key{ID: task.KeyID, Secret: task.Secret}), binary.Region, attune.WallClock, nil)
	server := &http.Server{ReadHeaderTimeout: headerTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := verifier.Verify(r, maxEcho); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(task.Answer)))
		_, _ = w.Write(task.Answer)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close()
	}()
	fmt.Fprintln(out, l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
