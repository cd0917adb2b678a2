package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// checkpointEvery is the least time between two writes of one part: a training
// that is cut short loses at most about so much, and writing costs little of it.
const checkpointEvery = 10 * time.Second

// checkpointIn is the Checkpoint of the training whose attempts leave their models
// in a folder, which ends in a slash and is swept when the training is done.
func (m *Manager) checkpointIn(folder string) *checkpoint {
	return newCheckpoint(m.Artifacts, m.Logger, checkpointFolder(folder), checkpointEvery)
}

// checkpointFolder is where the Checkpoint of a training lies below the folder of its models.
func checkpointFolder(folder string) string { return folder + "checkpoint/" }

// checkpoint keeps the state of trainings as files <folder><part>/<round>, each
// written whole before the one before is removed.
type checkpoint struct {
	store  *artifact.Store
	logger *slog.Logger
	folder string // ends in a slash
	every  time.Duration

	mu   sync.Mutex
	last time.Time
	name string // newest of this process, "" before the first
}

// newCheckpoint makes a checkpoint; the beginning counts as its first write.
func newCheckpoint(store *artifact.Store, logger *slog.Logger, folder string, every time.Duration) *checkpoint {
	return &checkpoint{store: store, logger: logger, folder: folder, every: every, last: time.Now()}
}

// Load reads the newest state. One that is damaged, or was made by another kernel
// tier, costs time, not truth: it is removed, and the training begins anew. Trouble
// of the bucket is an error, and the state stays for the next attempt.
func (c *checkpoint) Load(ctx context.Context) (round int, state map[string]model.Tensor, err error) {
	newest := ""
	for info, err := range c.store.List(ctx, c.folder) {
		if err != nil {
			return 0, nil, fmt.Errorf("look for a checkpoint: %w", err)
		}
		if n, ok := c.round(info.Name); ok && (newest == "" || n > round) {
			round, newest = n, info.Name
		}
	}
	if newest == "" {
		return 0, nil, nil
	}
	m, err := model.Open(ctx, c.store, newest)
	switch tier := recipe.Tier(); {
	case ctx.Err() != nil:
		return 0, nil, ctx.Err()
	case attune.KindOf(err) == attune.NotFound: // an attempt that does not know yet that it is over has removed it
		return 0, nil, nil
	case errors.Is(err, model.ErrUnreadable):
		return 0, nil, c.discard(ctx, newest, err)
	case err != nil:
		return 0, nil, fmt.Errorf("read checkpoint %s: %w", newest, err)
	case m.Manifest.Kernel != tier: // a digest belongs to a tier: ADR 11
		return 0, nil, c.discard(ctx, newest, fmt.Errorf("it was made with kernel tier %s, and this is %s", m.Manifest.Kernel, tier))
	}
	c.mu.Lock()
	c.name = newest
	c.mu.Unlock()
	return round, m.Tensors, nil
}

// discard removes a state that nobody can go on from: it would be found again
// before those of earlier rounds.
func (c *checkpoint) discard(ctx context.Context, name string, why error) error {
	c.logger.Warn("a checkpoint is of no use, so the training begins anew", "checkpoint", name, "error", why)
	return c.remove(ctx, name)
}

// remove deletes a state, unless another attempt has done so.
func (c *checkpoint) remove(ctx context.Context, name string) error {
	if err := c.store.Delete(ctx, name); err != nil && attune.KindOf(err) != attune.NotFound {
		return fmt.Errorf("remove checkpoint %s: %w", name, err)
	}
	return nil
}

// round is the number that a file of this very part is called by.
func (c *checkpoint) round(name string) (int, bool) {
	if path.Dir(name)+"/" != c.folder {
		return 0, false // of a part of this part
	}
	n, err := strconv.Atoi(path.Base(name))
	return n, err == nil && n > 0
}

// Save writes the state, unless the last was written a short while ago.
func (c *checkpoint) Save(ctx context.Context, round int, state map[string]model.Tensor) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < c.every {
		return nil
	}
	name := c.folder + strconv.Itoa(round)
	if name == c.name {
		return nil // the state of a round is always the same
	}
	if err := c.remove(ctx, name); err != nil { // left by an attempt that lost its newer ones
		return err
	}
	if _, err := model.Save(ctx, c.store, name, &model.Model{Manifest: model.Manifest{Kernel: recipe.Tier()}, Tensors: state}); err != nil {
		return fmt.Errorf("checkpoint %s: %w", name, err)
	}
	if c.name != "" {
		if err := c.remove(ctx, c.name); err != nil {
			return err
		}
	}
	c.name, c.last = name, time.Now()
	return nil
}

// Part is a folder below.
func (c *checkpoint) Part(name string) recipe.Checkpoint {
	return newCheckpoint(c.store, c.logger, c.folder+name+"/", c.every)
}
