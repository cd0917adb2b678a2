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
		t.Skip("starts the aws CLI again and again")
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
	if err := os.Mkdir(filepath.Join(work, "up"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("up/small ü.csv", small)
	write("up/big.csv", big)
	run("s3", "mb", "s3://box")
	run("s3", "cp", "--quiet", "--recursive", "up", "s3://box/in")
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
	if out := run("s3", "rb", "--force", "s3://box"); strings.Count(out, "delete: ") != 3 { // with all that is in it, without which no bucket goes
		t.Errorf("rb --force: %s", out)
	}
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
def refused(url, code, **kw):
    try:
        urllib.request.urlopen(urllib.request.Request(url, **kw)); assert False, url
    except urllib.error.HTTPError as e:
        body = e.read(); assert b"<Code>" + code + b"</Code>" in body, body
v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
for signer, scheme in (c, "AWSAccessKeyId="), (v4, "X-Amz-Signature="):  # what boto3 makes unless told otherwise is of the older scheme
    get = signer.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k ü+"})
    assert scheme in get, get
    assert urllib.request.urlopen(get).read() == b"hello"
    seen = urllib.request.urlopen(signer.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k ü+", "ResponseContentType": "text/x"}))
    assert seen.headers["Content-Type"] == "text/x"
    put = signer.generate_presigned_url("put_object", Params={"Bucket": "box", "Key": "presigned", "ContentType": "text/csv", "Metadata": {"by": "url"}}, ExpiresIn=60)
    headers = {"Content-Type": "text/csv"} if signer is c else {"Content-Type": "text/csv", "x-amz-meta-by": "url"}
    urllib.request.urlopen(urllib.request.Request(put, data=b"a,b", method="PUT", headers=headers))
    o = c.get_object(Bucket="box", Key="presigned")
    assert o["Body"].read() == b"a,b" and o["ContentType"] == "text/csv" and o["Metadata"] == {"by": "url"}, o
    bad = b"SignatureDoesNotMatch"
    refused(get.replace("box", "xob", 1), bad); refused(get, bad, method="DELETE"); refused(put.replace("presigned", "other"), bad, data=b"x", method="PUT", headers=headers)
    refused(get + "&acl", bad); refused(get + "&response-content-type=text%2Fhtml", bad); refused(get, bad, headers={"x-amz-meta-a": "b"})
    refused(signer.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k ü+"}, ExpiresIn=-10), b"AccessDenied" if signer is c else b"AuthorizationQueryParametersError")
    c.delete_object(Bucket="box", Key="presigned")
refused(c.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k"}, ExpiresIn=30 * 86400), b"AuthorizationQueryParametersError")

def code(call, want, **kw):
    try:
        call(**kw); assert False, want
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == want, e
tags = lambda **kw: [{"Key": k, "Value": v} for k, v in kw.items()]
code(c.get_bucket_tagging, "NoSuchTagSet", Bucket="box")
c.put_bucket_tagging(Bucket="box", Tagging={"TagSet": tags(team="shop", stage="ü")})
assert c.get_bucket_tagging(Bucket="box")["TagSet"] == tags(team="shop", stage="ü")
c.delete_bucket_tagging(Bucket="box"); code(c.get_bucket_tagging, "NoSuchTagSet", Bucket="box")
c.put_object(Bucket="box", Key="tagged", Body=b"1", Tagging="a=1&b=x%20y")
assert c.get_object_tagging(Bucket="box", Key="tagged")["TagSet"] == tags(a="1", b="x y") and c.get_object(Bucket="box", Key="tagged")["TagCount"] == 2
c.copy_object(Bucket="box", Key="kept", CopySource="box/tagged"); assert c.get_object_tagging(Bucket="box", Key="kept")["TagSet"] == tags(a="1", b="x y")
c.copy_object(Bucket="box", Key="new", CopySource="box/tagged", TaggingDirective="REPLACE", Tagging="c=3"); assert c.get_object_tagging(Bucket="box", Key="new")["TagSet"] == tags(c="3")
c.put_object_tagging(Bucket="box", Key="tagged", Tagging={"TagSet": tags(z="9")}); assert c.get_object_tagging(Bucket="box", Key="tagged")["TagSet"] == tags(z="9")
assert c.get_object(Bucket="box", Key="tagged")["Body"].read() == b"1"
c.delete_object_tagging(Bucket="box", Key="tagged"); assert c.get_object_tagging(Bucket="box", Key="tagged")["TagSet"] == []
code(c.put_object_tagging, "InvalidTag", Bucket="box", Key="tagged", Tagging={"TagSet": tags(a="1") * 2})
code(c.put_object_tagging, "BadRequest", Bucket="box", Key="tagged", Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]})
code(c.put_object_tagging, "NoSuchKey", Bucket="box", Key="absent", Tagging={"TagSet": []})
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"personalize.amazonaws.com"},"Action":"s3:*Object","Resource":"arn:aws:s3:::box/*"}]}'
c.put_bucket_policy(Bucket="box", Policy=policy); assert c.get_bucket_policy(Bucket="box")["Policy"] == policy
c.delete_bucket_policy(Bucket="box"); code(c.get_bucket_policy, "NoSuchBucketPolicy", Bucket="box")
assert c.get_bucket_location(Bucket="box")["LocationConstraint"] is None and "Status" not in c.get_bucket_versioning(Bucket="box")
versions = [v["Key"] for p in c.get_paginator("list_object_versions").paginate(Bucket="box", PaginationConfig={"PageSize": 2}) for v in p["Versions"]]
assert versions == ["big", "copy", "k ü+", "kept", "new", "tagged"], versions
for bad, want in [(lambda: c.get_object(Bucket="box", Key="absent"), "NoSuchKey"), (lambda: c.put_object(Bucket="box", Key="k", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="), "BadDigest"),
    (lambda: boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id="` + "AKIATESTTESTTESTTEST" + `").list_buckets(), "SignatureDoesNotMatch"),
    (lambda: boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id="AKIAOTHER").list_buckets(), "InvalidAccessKeyId")]:
    try:
        bad(); assert False, want
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == want, e
boto3.client("s3", region_name="eu-west-1").head_bucket(Bucket="box")  # is sent on to the right region
boto3.resource("s3").Bucket("box").object_versions.all().delete()
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
