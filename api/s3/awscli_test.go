package s3_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// environ points the AWS tools at a server, away from any configuration of the
// machine's.
func environ(t *testing.T, s *server) []string {
	t.Helper()
	env := []string{"AWS_ENDPOINT_URL_S3=" + s.URL, "AWS_ACCESS_KEY_ID=" + pair.ID, "AWS_SECRET_ACCESS_KEY=" + pair.Secret, "AWS_DEFAULT_REGION=" + region,
		"AWS_CONFIG_FILE=" + filepath.Join(t.TempDir(), "none"), "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	return env
}

// tool finds a program that answers, or skips the test.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		_, err = exec.Command(path, args...).Output() //nolint:gosec // a fixed name
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s %s does not answer: %v", name, strings.Join(args, " "), err)
		}
		t.Skipf("%s %s does not answer (%v); install it to run this test", name, strings.Join(args, " "), err)
	}
	return path
}

func TestAWSCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the aws CLI a dozen times")
	}
	aws := tool(t, "aws", "--version")
	s := start(t, t.TempDir(), false)
	env, work := environ(t, s), t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		began := time.Now()
		cmd := exec.CommandContext(t.Context(), aws, args...) //nolint:gosec // the test's own arguments
		cmd.Env, cmd.Dir = env, work
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		t.Logf("aws %s: %s", strings.Join(args, " "), time.Since(began).Round(time.Millisecond))
		return string(out)
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	same := func(name string, want []byte) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(work, name)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s has %d bytes, want %d (%v)", name, len(got), len(want), err)
		}
	}
	small, big := []byte("USER_ID,ITEM_ID\n1,2\n"), noise(6, 20*mib)
	write("small ü.csv", small)
	write("big.csv", big)
	run("s3", "mb", "s3://box")
	run("s3", "cp", "--quiet", "small ü.csv", "s3://box/in/small ü.csv")
	run("s3", "cp", "--quiet", "big.csv", "s3://box/in/big.csv")
	if out := run("s3", "ls", "s3://box/in/"); !strings.Contains(out, "20971520 big.csv") || !strings.Contains(out, "small ü.csv") {
		t.Errorf("ls: %s", out)
	}
	run("s3", "cp", "--quiet", "s3://box/in/big.csv", "s3://box/copy.csv") // in parts, on the server
	run("s3", "cp", "--quiet", "s3://box/copy.csv", "back.csv")
	same("back.csv", big)
	run("s3", "sync", "--quiet", "s3://box/in", "tree")
	same("tree/small ü.csv", small)
	if out := run("s3", "sync", "tree", "s3://box/in"); strings.Contains(out, "upload") {
		t.Errorf("a second sync uploads again: %s", out)
	}
	run("s3api", "put-bucket-policy", "--bucket", "box", "--policy", `{"Statement":[]}`)
	run("s3", "rm", "--quiet", "--recursive", "s3://box")
	if out := run("s3", "ls", "s3://box/", "--recursive"); out != "" {
		t.Errorf("left: %s", out)
	}
	run("s3", "rb", "s3://box")
}

const botoScript = `
import io, boto3, botocore
from boto3.s3.transfer import TransferConfig
c = boto3.client("s3")
c.create_bucket(Bucket="box")
for algorithm in [None, "CRC32", "SHA1", "SHA256"]:
    extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    c.put_object(Bucket="box", Key="k ü+", Body=b"hello", Metadata={"a": "b"}, ContentType="text/csv", **extra)
    o = c.get_object(Bucket="box", Key="k ü+", ChecksumMode="ENABLED")
    assert o["Body"].read() == b"hello" and o["Metadata"] == {"a": "b"} and o["ContentType"] == "text/csv", o
    assert o["Checksum" + (algorithm or "CRC32")], o
big = bytes(range(256)) * 4096 * 18
c.upload_fileobj(io.BytesIO(big), "box", "big", Config=TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20))
assert c.head_object(Bucket="box", Key="big")["ETag"].endswith('-3"')
out = io.BytesIO(); c.download_fileobj("box", "big", out); assert out.getvalue() == big
c.copy({"Bucket": "box", "Key": "big"}, "box", "copy"); assert c.head_object(Bucket="box", Key="copy")["ContentLength"] == len(big)
keys = [o["Key"] for p in c.get_paginator("list_objects_v2").paginate(Bucket="box", PaginationConfig={"PageSize": 1}) for o in p["Contents"]]
assert keys == ["big", "copy", "k ü+"], keys
keys = [o["Key"] for p in c.get_paginator("list_objects").paginate(Bucket="box", PaginationConfig={"PageSize": 1}) for o in p["Contents"]]
assert keys == ["big", "copy", "k ü+"], keys
import urllib.request, urllib.error
from botocore.config import Config
try:  # what boto3 makes unless told otherwise is signed by the older scheme
    urllib.request.urlopen(c.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k ü+"})); assert False
except urllib.error.HTTPError as e:
    assert e.code == 400 and b"s3v4" in e.read(), e
v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
assert urllib.request.urlopen(v4.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k ü+"})).read() == b"hello"
for bad, want in [(lambda: c.get_object(Bucket="box", Key="absent"), "NoSuchKey"), (lambda: c.put_object(Bucket="box", Key="k", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="), "BadDigest"),
    (lambda: boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id="` + "AKIATESTTESTTESTTEST" + `").list_buckets(), "SignatureDoesNotMatch"),
    (lambda: boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id="AKIAOTHER").list_buckets(), "InvalidAccessKeyId")]:
    try:
        bad(); assert False, want
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == want, e
boto3.client("s3", region_name="eu-west-1").head_bucket(Bucket="box")  # is sent on to the right region
boto3.resource("s3").Bucket("box").objects.all().delete()
c.delete_bucket(Bucket="box")
print("ok")
`

func TestBoto3(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python")
	}
	python := tool(t, "python3", "-c", "import boto3")
	s := start(t, t.TempDir(), false)
	cmd := exec.CommandContext(t.Context(), python, "-c", botoScript) //nolint:gosec // the script above
	cmd.Env = environ(t, s)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Fatalf("%v\n%s", err, out)
	}
}
