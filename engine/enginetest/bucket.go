package enginetest

import (
	"bytes"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// Bucket runs the suite of an engine that gives out a bucket.
func Bucket[E interface {
	Engine
	Client() *blob.Bucket
	Dir() string
}](t *testing.T, open Opener[E]) {
	name := func(key string) string { return "enginetest/" + key + "/file name.csv" }
	body := bytes.Repeat([]byte("a,b\n"), 1000)
	seam[E]{
		open:    open,
		env:     "ATTUNE_TEST_BUCKET_URL",
		refused: []string{"mem://", "s3://", "gs://", "azblob://", "file://host/x", "file:///x?metadata=skip"},
		write: func(t *testing.T, e E, key string) {
			opts := &blob.WriterOptions{ContentType: "text/csv", Metadata: map[string]string{"owner": "someone"}}
			if err := e.Client().WriteAll(t.Context(), name(key), body, opts); err != nil {
				t.Fatalf("write: %v", err)
			}
		},
		has: func(t *testing.T, e E, key string) bool {
			got, err := e.Client().ReadAll(t.Context(), name(key))
			if gcerrors.Code(err) == gcerrors.NotFound {
				return false
			}
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			attrs, err := e.Client().Attributes(t.Context(), name(key))
			if err != nil {
				t.Fatalf("read attributes: %v", err)
			}
			if attrs.ContentType != "text/csv" || attrs.Metadata["owner"] != "someone" {
				t.Errorf("content type %q and metadata %v were not kept", attrs.ContentType, attrs.Metadata)
			}
			return bytes.Equal(got, body)
		},
		clean: func(t *testing.T, e E, key string) {
			if err := e.Client().Delete(t.Context(), name(key)); err != nil {
				t.Errorf("delete: %v", err)
			}
		},
	}.run(t)
}
