package call_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/attune-io/attune/api/call"
)

func TestSend(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"n": 3}`) }
	var asked *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = r; answer(w, r) }))
	defer s.Close()
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(s.URL + "/"), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	var out struct{ N int }
	send := func() error {
		return call.Send(t.Context(), cfg, "Count", struct{}{}, &out)
	}
	if err := send(); err != nil || out.N != 3 {
		t.Fatalf("%+v, %v", out, err)
	}
	if auth := asked.Header.Get("Authorization"); asked.URL.Path != "/attune/v1/Count" || asked.Method != http.MethodPost || !strings.Contains(auth, "/eu-central-1/attune/aws4_request") {
		t.Errorf("%s %s signed %q", asked.Method, asked.URL.Path, auth)
	}
	for name, c := range map[string]struct {
		head, body string
		want       call.Refusal
	}{
		"ours":      {"InvalidInputException:http://x/", `{"message": "say n"}`, call.Refusal{Status: 400, Code: "InvalidInputException", Message: "say n"}},
		"in body":   {"", `{"__type": "com.amazon#ResourceNotFoundException", "message": "none"}`, call.Refusal{Status: 400, Code: "ResourceNotFoundException", Message: "none"}},
		"no node":   {"", `<html>what?</html>`, call.Refusal{Status: 400, Message: "400 Bad Request"}},
		"no answer": {"", ``, call.Refusal{Status: 400, Message: "400 Bad Request"}},
	} {
		answer = func(w http.ResponseWriter, _ *http.Request) {
			if c.head != "" {
				w.Header().Set("X-Amzn-Errortype", c.head)
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, c.body)
		}
		var got *call.Refusal
		if err := send(); !errors.As(err, &got) || *got != c.want || err.Error() != c.want.Message {
			t.Errorf("%s: %+v", name, err)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent elsewhere, too") }))
	defer elsewhere.Close()
	answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}
	var moved *call.Refusal
	if err := send(); !errors.As(err, &moved) || moved.Status != http.StatusTemporaryRedirect {
		t.Errorf("sent elsewhere: %v", err)
	}
	answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }
	if err := send(); err == nil || !strings.Contains(err.Error(), "Count") {
		t.Errorf("an answer that is no JSON: %v", err)
	}
	s.Close()
	if err := send(); err == nil || !strings.Contains(err.Error(), "no node answers at "+s.URL) {
		t.Errorf("nobody there: %v", err)
	}
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })
	if err := send(); err == nil || !strings.Contains(err.Error(), "no credentials") {
		t.Errorf("nobody asks: %v", err)
	}
}
