"""PutEvents of EventBridge through boto3: what an ETL job does, with another endpoint."""
import boto3
from botocore.exceptions import ClientError

events = boto3.client("events")


def entry(**change):
    e = {"Source": "etl", "DetailType": "Job State Change", "Detail": '{"state":"SUCCEEDED"}', "Resources": ["arn:x"], "EventBusName": "mine"}
    e.update(change)
    return {k: v for k, v in e.items() if v is not None}


out = events.put_events(Entries=[entry(), entry(Detail="{"), entry(Source=None), entry(Source="aws.s3"), entry(Detail='{"n":2}', Time=1767225600)])
codes = [e.get("ErrorCode", "") for e in out["Entries"]]
assert codes == ["", "MalformedDetail", "InvalidArgument", "NotAuthorizedForSourceException", ""], codes
assert out["FailedEntryCount"] == 3, out
assert all(("EventId" in e) == ("ErrorCode" not in e) for e in out["Entries"]), out

for entries, want in [([entry()] * 11, "ValidationException"), ([entry(Detail='{"x":"%s"}' % ("x" * 100_000))] * 3, "ValidationException")]:
    try:
        events.put_events(Entries=entries)
        raise SystemExit("taken: %d entries" % len(entries))
    except ClientError as e:
        assert e.response["Error"]["Code"] == want, e.response
try:
    events.list_rules()
    raise SystemExit("list_rules was answered")
except ClientError as e:
    assert e.response["Error"]["Code"] == "UnknownOperationException", e.response
print(out["Entries"][0]["EventId"])
