package main

import (
	"fmt"
	"io"

	"github.com/attune-io/attune/world"
)

// brokenRows are what a real export has: rows that the import must reject, each
// with its reason.
var brokenRows = []string{
	"u0001,,View,1767312000",
	"u0002,i0007,View,yesterday",
	"u0003,i0009",
}

// The tour is of a shop with so many customers: fewer have nothing to learn from,
// and of more nobody waits for the end.
const (
	leastUsers = 100
	mostUsers  = 100_000
)

// shop is what the tour is about: MovieLens data if asked for, else a synthetic shop.
func (c *demoCmd) shop() (*shop, error) {
	if c.MovieLens != "" {
		return movieLens(c.MovieLens)
	}
	if c.Users < leastUsers || c.Users > mostUsers {
		return nil, fmt.Errorf("a demo with %d customers shows nothing, or takes for ever: say --users %d to %d", c.Users, leastUsers, mostUsers)
	}
	w, err := world.New(world.Spec{Users: c.Users, Items: c.Users / 2, Events: 50 * c.Users, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	return worldShop(w), nil
}

// worldShop is a synthetic shop, with some rows that the import must reject.
func worldShop(w *world.World) *shop {
	names := map[string]string{}
	for i := range w.Spec().Items {
		item := w.Item(i)
		names[item.ID] = item.Name
	}
	return &shop{
		name: "shop", noun: "items",
		schemas: map[string]string{"INTERACTIONS": world.InteractionsSchema, "ITEMS": world.ItemsSchema, "USERS": world.UsersSchema},
		files: map[string]func(io.Writer) error{
			"INTERACTIONS": func(out io.Writer) error {
				if err := w.WriteInteractions(out); err != nil {
					return err
				}
				for _, row := range brokenRows {
					if _, err := fmt.Fprintln(out, row); err != nil {
						return err
					}
				}
				return nil
			},
			"ITEMS": w.WriteItems,
			"USERS": w.WriteUsers,
		},
		itemName: func(id string) string { return names[id] },
		user:     w.UserID(41), eventType: "View",
		filterColumn: "CATEGORY_L1", filterValue: w.Item(0).Category,
	}
}
