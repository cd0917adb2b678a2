package sdk_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// TestTokens tries a page token everywhere but where it was given: under another
// operation, filter or account, changed, and made up.
func TestTokens(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	mine, theirs := c.datasetGroup("mine"), c.datasetGroup("theirs")
	for _, g := range []string{mine, theirs} {
		c.dataset(g, "Interactions", world.InteractionsSchema)
		c.dataset(g, "Items", world.ItemsSchema)
	}
	list := func(c *clients, group, token *string) (*personalize.ListDatasetsOutput, error) {
		return c.control.ListDatasets(c.ctx, &personalize.ListDatasetsInput{DatasetGroupArn: group, NextToken: token, MaxResults: aws.Int32(1)})
	}
	token := must[*personalize.ListDatasetsOutput](t)(list(c, &mine, nil)).NextToken
	changed := []byte(*token)
	changed[len(changed)/2] ^= 1
	for name, err := range map[string]error{
		"another operation":               errOf(c.control.ListDatasetGroups(c.ctx, &personalize.ListDatasetGroupsInput{NextToken: token})),
		"another list of the same filter": errOf(c.control.ListSolutions(c.ctx, &personalize.ListSolutionsInput{DatasetGroupArn: &mine, NextToken: token})),
		"another filter":                  errOf(list(c, &theirs, token)),
		"no filter":                       errOf(list(c, nil, token)),
		"changed":                         errOf(list(c, &mine, aws.String(string(changed)))),
		"made up":                         errOf(list(c, &mine, aws.String("MTc2NzIyNTYwMC4wMDAwMDAwMDAwMDAwMDAw"))),
		"twice as long":                   errOf(list(c, &mine, aws.String(*token+*token))),
	} {
		t.Run(name, func(t *testing.T) { refusedAs[*types.InvalidNextTokenException](t, err, "") })
	}
	if next := must[*personalize.ListDatasetsOutput](t)(list(c, &mine, token)); len(next.Datasets) != 1 {
		t.Errorf("the good token gives %d datasets", len(next.Datasets))
	}
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	node = must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, "--account", "111111111111"))
	_, err := list(newClients(t, node), &mine, token)
	refusedAs[*types.InvalidNextTokenException](t, err, "")
}

func errOf[T any](_ T, err error) error { return err }

// TestBounds sends what is too large in every place but a body, which
// TestBadRequests does.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("bounds")
	c.dataset(group, "Interactions", world.InteractionsSchema)
	_, tracking := c.tracker(group)
	put := func(e etypes.Event) error {
		e.EventType, e.SentAt = aws.String("View"), aws.Time(time.Now())
		_, err := c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), EventList: []etypes.Event{e}})
		return err
	}
	long := strings.Repeat("界", 256) // 768 bytes
	refusedAs[*etypes.InvalidInputException](t, put(etypes.Event{ItemId: &long, Impression: slices.Repeat([]string{long}, 25)}), "10240")
	if err := put(etypes.Event{ItemId: &long, Impression: slices.Repeat([]string{long}, 12)}); err != nil {
		t.Errorf("an event of less than 10 KB: %v", err)
	}

	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.node.URL+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 128<<10))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("headers of 128 KiB: %d", resp.StatusCode)
	}
}

// TestNotebook makes the calls beside Personalize that published notebooks
// make: who am I, bucket policies, tags, places, copies and presigned URLs.
func TestNotebook(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	for _, region := range []string{binary.Region, "eu-west-1"} {
		cfg := c.node.AWS()
		cfg.Region = region
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(c.ctx, &sts.GetCallerIdentityInput{})
		if region != binary.Region {
			refusedCode(t, err, "SignatureDoesNotMatch")
			continue
		}
		if err != nil || *who.Account != binary.Account || *who.Arn != "arn:aws:iam::000000000000:root" || *who.UserId != binary.Account {
			t.Errorf("%+v, %v", who, err)
		}
	}
	identity := sts.NewFromConfig(c.node.AWS())
	_, err := identity.AssumeRole(c.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(binary.Role), RoleSessionName: aws.String("session")})
	refusedCode(t, err, "InvalidAction")
	wrong := c.node.AWS()
	wrong.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.node.Key.ID, SecretAccessKey: "wrong"}, nil
	})
	_, err = sts.NewFromConfig(wrong).GetCallerIdentity(c.ctx, &sts.GetCallerIdentityInput{})
	refusedCode(t, err, "SignatureDoesNotMatch")

	c.put("notebook", "in/ratings.csv", "a,b\n")
	bucket := aws.String("notebook")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"personalize.amazonaws.com"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::notebook","arn:aws:s3:::notebook/*"]}]}`
	must[*s3.PutBucketPolicyOutput](t)(c.objects.PutBucketPolicy(c.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(policy)}))
	if got := must[*s3.GetBucketPolicyOutput](t)(c.objects.GetBucketPolicy(c.ctx, &s3.GetBucketPolicyInput{Bucket: bucket})); *got.Policy != policy {
		t.Errorf("the policy is %s", *got.Policy)
	}
	must[*s3.DeleteBucketPolicyOutput](t)(c.objects.DeleteBucketPolicy(c.ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket}))
	must[*s3.HeadBucketOutput](t)(c.objects.HeadBucket(c.ctx, &s3.HeadBucketInput{Bucket: bucket}))
	must[*s3.GetBucketLocationOutput](t)(c.objects.GetBucketLocation(c.ctx, &s3.GetBucketLocationInput{Bucket: bucket}))
	must[*s3.GetBucketVersioningOutput](t)(c.objects.GetBucketVersioning(c.ctx, &s3.GetBucketVersioningInput{Bucket: bucket}))
	must[*s3.PutBucketTaggingOutput](t)(c.objects.PutBucketTagging(c.ctx, &s3.PutBucketTaggingInput{Bucket: bucket,
		Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}}))
	if got := must[*s3.GetBucketTaggingOutput](t)(c.objects.GetBucketTagging(c.ctx, &s3.GetBucketTaggingInput{Bucket: bucket})); len(got.TagSet) != 1 || *got.TagSet[0].Value != "shop" {
		t.Errorf("tags %+v", got.TagSet)
	}
	must[*s3.CopyObjectOutput](t)(c.objects.CopyObject(c.ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy.csv"), CopySource: aws.String("notebook/in/ratings.csv")}))

	urls := s3.NewPresignClient(c.objects)
	get, err := urls.PresignGetObject(c.ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("copy.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, http.MethodGet, get.URL, ""); status != 200 || body != "a,b\n" {
		t.Errorf("presigned get: %d %s", status, body)
	}
	if status, _ := fetch(t, http.MethodGet, strings.Replace(get.URL, "copy.csv", "in/ratings.csv", 1), ""); status != 403 {
		t.Errorf("a presigned URL of another object: %d", status)
	}
	put, err := urls.PresignPutObject(c.ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("new.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, http.MethodPut, put.URL, "c,d\n"); status != 200 {
		t.Errorf("presigned put: %d %s", status, body)
	}
	if got := c.objectList("notebook"); !slices.Equal(got, []string{"copy.csv 4", "in/ratings.csv 4", "new.csv 4"}) {
		t.Error(fmt.Sprint(got))
	}
}

// fetch sends a request as a browser or curl would, unsigned.
func fetch(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
