package maintain

import (
	"context"
	"path"
)

// Dropped applies a configuration that appeared in the bucket: its data lies in
// the folder that it was put into. id tells one writing of the object from
// another: the same id is the same run. attune.Invalid lists all that is wrong
// with it; attune.InUse, while another apply is under way; attune.Unavailable,
// when it could not be read.
func (m *Manager) Dropped(ctx context.Context, bucket, key, id string) (*Run, error) {
	text, err := m.object(ctx, bucket, key, maxText)
	if err != nil {
		return nil, err
	}
	source := "s3://" + bucket
	if dir := path.Dir(key); dir != "." {
		source += "/" + dir
	}
	return m.Apply(ctx, ApplyInput{Text: string(text), File: path.Base(key), Source: source, Cause: Cause{Kind: ByObject, ID: "s3://" + bucket + "/" + key + " " + id}})
}
