package job

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

// Receipt says what a deletion did. It names no user: see Users. Its bytes are
// in docs/format/receipt.md.
type Receipt struct {
	Format          int            `json:"format"` // 1
	DataDeletionJob attune.ARN     `json:"dataDeletionJobArn"`
	JobID           string         `json:"jobId"` // unique for ever, also when the name is used again
	DatasetGroup    attune.ARN     `json:"datasetGroupArn"`
	Requested       time.Time      `json:"requested"`
	Completed       time.Time      `json:"completed"`
	UpTo            event.Seq      `json:"upTo"` // of the log: what is known later is new data
	Users           ReceiptUsers   `json:"users"`
	Deleted         Deleted        `json:"deleted"`
	Tables          []Rewritten    `json:"tables"`
	Snapshots       []Rewritten    `json:"snapshots"`
	Outputs         []Rewritten    `json:"outputs"` // files of export and batch jobs
	Unread          []UnreadFile   `json:"unread"`  // files that may hold the users still
	Models          []ReceiptModel `json:"models"`  // that learned from the users, though they hold none of them
}

// ReceiptUsers stands for the list of users: whoever has the list can show that
// it is this one, and nobody can read it from here.
type ReceiptUsers struct {
	Count  int    `json:"count"`
	Salt   string `json:"salt"`   // 32 hexadecimal digits, random
	Digest string `json:"digest"` // SHA-256, see digestUsers
}

// UnreadFile is an output that could not be read as what the job wrote there,
// most likely because its owner replaced it, and was left as it is.
type UnreadFile struct {
	Name   string `json:"name"` // bucket/key
	Reason string `json:"reason"`
}

// ReceiptModel is a model that was trained when the users were there.
type ReceiptModel struct {
	Arn          attune.ARN `json:"arn"` // of the solution version or recommender
	Model        string     `json:"model"`
	Snapshot     string     `json:"snapshot"`     // as the model names it
	NextTraining string     `json:"nextTraining"` // when its solution trains by itself next, RFC 3339, or why it does not
}

// SignedReceipt is a receipt and who vouches for it.
type SignedReceipt struct {
	Receipt   json.RawMessage `json:"receipt"`   // a Receipt
	PublicKey string          `json:"publicKey"` // Ed25519, base64
	Signature string          `json:"signature"` // of Receipt without insignificant spaces, base64
}

// Sign writes a receipt down and signs it.
func Sign(r Receipt, key ed25519.PrivateKey) (SignedReceipt, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return SignedReceipt{}, err
	}
	return SignedReceipt{
		Receipt: text, PublicKey: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(key, text)),
	}, nil
}

// Verify checks that the owner of the public key (base64) signed the receipt,
// and that nobody changed it since. users, when not nil, must be the ids that
// were listed for deletion, in any order. The error is attune.Invalid.
func (s SignedReceipt) Verify(publicKey string, users []string) (r Receipt, err error) {
	key, err := base64.StdEncoding.DecodeString(publicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return r, attune.Errorf(attune.Invalid, "%q is not an Ed25519 key in base64", publicKey)
	}
	if s.PublicKey != publicKey {
		return r, attune.Errorf(attune.Invalid, "the receipt was signed with another key (%s) than that of this node (%s)", s.PublicKey, publicKey)
	}
	var text bytes.Buffer
	if err := json.Compact(&text, s.Receipt); err != nil {
		return r, attune.Errorf(attune.Invalid, "the receipt is not JSON: %w", err)
	}
	signature, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || !ed25519.Verify(key, text.Bytes(), signature) {
		return r, attune.Errorf(attune.Invalid, "the signature does not fit: the receipt is not what this node wrote")
	}
	if err := json.Unmarshal(text.Bytes(), &r); err != nil {
		return r, attune.Errorf(attune.Invalid, "the receipt cannot be read: %w", err)
	}
	if users != nil && digestUsers(users, r.Users.Salt) != r.Users.Digest {
		return r, attune.Errorf(attune.Invalid, "the receipt is about %d users, and not about exactly the %d given", r.Users.Count, len(users))
	}
	return r, nil
}

// sealUsers stands in for a list of distinct ids.
func sealUsers(users []string) ReceiptUsers {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	out := ReceiptUsers{Count: len(users), Salt: hex.EncodeToString(salt)}
	out.Digest = digestUsers(users, out.Salt)
	return out
}

// digestUsers is SHA-256 over the salt (as it is written) and, for every
// distinct id in byte order, SHA-256 over the salt and the id.
func digestUsers(users []string, salt string) string {
	sorted := slices.Clone(users)
	slices.SortFunc(sorted, strings.Compare)
	all := sha256.New()
	_, _ = all.Write([]byte(salt)) // a hash does not fail
	for _, id := range slices.Compact(sorted) {
		one := sha256.Sum256([]byte(salt + id))
		_, _ = all.Write(one[:])
	}
	return hex.EncodeToString(all.Sum(nil))
}
