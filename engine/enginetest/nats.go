package enginetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsPayload is the size, in bytes, that a message of the log may have; the
// protocol around it has to fit as well.
const natsPayload = 1<<20 - 1<<10

// NATS runs the suite of an engine that gives out a NATS connection.
func NATS[E interface {
	Engine
	Client() *nats.Conn
}](t *testing.T, open Opener[E]) {
	stream := func(t *testing.T, e E) jetstream.JetStream {
		t.Helper()
		js, err := jetstream.New(e.Client())
		if err != nil {
			t.Fatalf("jetstream: %v", err)
		}
		return js
	}
	seam[E]{
		open:    open,
		env:     "ATTUNE_TEST_NATS_URL",
		refused: []string{"nats://", "nats://localhost,gopher://localhost"},
		absent:  "nats://127.0.0.1:1",
		write: func(t *testing.T, e E, key string) {
			js := stream(t, e)
			conf := jetstream.StreamConfig{Name: key, Subjects: []string{key + ".>"}, Storage: jetstream.FileStorage}
			if _, err := js.CreateStream(t.Context(), conf); err != nil {
				t.Fatalf("create a stream: %v", err)
			}
			if _, err := js.Publish(t.Context(), key+".a", bytes.Repeat([]byte("x"), natsPayload)); err != nil {
				t.Fatalf("publish a large message: %v", err)
			}
		},
		has: func(t *testing.T, e E, key string) bool {
			s, err := stream(t, e).Stream(t.Context(), key)
			if errors.Is(err, jetstream.ErrStreamNotFound) {
				return false
			}
			if err != nil {
				t.Fatalf("find a stream: %v", err)
			}
			msg, err := s.GetMsg(t.Context(), 1)
			if err != nil {
				t.Fatalf("read a message: %v", err)
			}
			return len(msg.Data) == natsPayload
		},
		clean: func(t *testing.T, e E, key string) {
			if err := stream(t, e).DeleteStream(t.Context(), key); err != nil {
				t.Errorf("delete a stream: %v", err)
			}
		},
	}.run(t)
}
