package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	// freshRounds is how many new users are followed.
	freshRounds = 200
	// freshPatience bounds the wait for a changed answer.
	freshPatience = 10 * time.Second
)

// fresh measures how long an event takes to change an answer.
func (b *bench) fresh() error {
	t, err := b.trained()
	if err != nil {
		return err
	}
	c, err := dial(b.ctx, t.address())
	if err != nil {
		return err
	}
	defer c.hangUp()
	var all rounds
	for i := range pick(b, freshRounds, 10) {
		if err := c.SetDeadline(time.Now().Add(2 * freshPatience)); err != nil {
			return err
		}
		if err := b.freshRound(t, c, i, &all); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	table := newTable("from → to", "p50", "p99", "most")
	for _, row := range []struct {
		name  string
		times []time.Duration
	}{
		{"PutEvents sent → changed answer received", all.whole},
		{"PutEvents sent → acknowledged (on disk)", all.put},
		{"acknowledged → changed answer received", all.after},
		{"one GetRecommendations of the same connection", all.ask},
	} {
		slices.Sort(row.times)
		table.add(row.name, quantile(row.times, 0.5), quantile(row.times, 0.99), quantile(row.times, 1))
	}
	b.note("%d rounds, each with a user nobody knew: ask, PutEvents of one event about an item of the answer, then ask again and again over one connection until the list of items is another. "+
		"Signatures made before. *Sent* is when the first byte of PutEvents is written, *received* when the last byte of the first changed answer is read. "+
		"%.1f answers were asked for per round after the acknowledgement (1 is the least):", len(all.whole), float64(all.polls)/float64(len(all.whole)))
	table.write(b.out)
	return nil
}

// rounds gathers what was measured.
type rounds struct {
	whole, put, after, ask []time.Duration
	polls                  int
}

func (b *bench) freshRound(t *trained, c *connection, i int, all *rounds) error {
	user := fmt.Sprintf("fresh-%d-%d", time.Now().UnixNano(), i)
	ask, err := signed(b.ctx, t.Key, t.address(), "/recommendations", t.ask(user))
	if err != nil {
		return err
	}
	asked := time.Now()
	before, err := c.items(ask)
	if err != nil {
		return err
	}
	all.ask = append(all.ask, time.Since(asked))
	again, err := c.items(ask)
	if err != nil {
		return err
	}
	if len(before) == 0 || !slices.Equal(before, again) {
		return fmt.Errorf("answers to a new user change without an event: %v, then %v", before, again)
	}
	event := map[string]any{"eventType": "View", "itemId": before[i%len(before)], "sentAt": time.Now().Unix()}
	body, err := json.Marshal(map[string]any{"trackingId": t.tracking, "userId": user, "sessionId": "s-" + user, "eventList": []any{event}})
	if err != nil {
		return err
	}
	put, err := signed(b.ctx, t.Key, t.address(), "/events", body)
	if err != nil {
		return err
	}

	sent := time.Now()
	if _, err := c.call(put); err != nil {
		return err
	}
	acknowledged := time.Now()
	for time.Since(acknowledged) < freshPatience {
		after, err := c.items(ask)
		if err != nil {
			return err
		}
		all.polls++
		if !slices.Equal(before, after) {
			received := time.Now()
			all.whole = append(all.whole, received.Sub(sent))
			all.put = append(all.put, acknowledged.Sub(sent))
			all.after = append(all.after, received.Sub(acknowledged))
			return nil
		}
	}
	return fmt.Errorf("the answer to user %s did not change within %s of the event %v", user, freshPatience, event)
}

// items asks and returns the ids of the answer in order.
func (c *connection) items(ask []byte) ([]string, error) {
	answer, err := c.call(ask)
	if err != nil {
		return nil, err
	}
	var p page
	if err := json.Unmarshal(answer, &p); err != nil {
		return nil, err
	}
	ids := make([]string, len(p.ItemList))
	for i, item := range p.ItemList {
		ids[i] = item.ItemID
	}
	return ids, nil
}
