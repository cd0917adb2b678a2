"""The whole life of a recommender through boto3, against AWS_ENDPOINT_URL.

Ends with 0 and one line per step, or with a traceback.
"""

import io
import json
import random
import time

import boto3
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/attune"
SCHEMA = {
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [
        {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
    ],
}
ITEMS = {
    "type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [
        {"name": "ITEM_ID", "type": "string"}, {"name": "GENRES", "type": ["null", "string"], "categorical": True},
    ],
}

personalize = boto3.client("personalize")
runtime = boto3.client("personalize-runtime")
events = boto3.client("personalize-events")
s3 = boto3.client("s3")


def pause(began):
    """The time until the next look: a part of the wait so far, so that a long one is not made longer by being asked."""
    return min(max(0.01, (time.monotonic() - began) / 8), 0.2)


def active(describe, member, **names):
    """Polls a Describe until its resource is ACTIVE."""
    began = time.monotonic()
    while time.monotonic() < began + 120:
        got = describe(**names)[member]
        if got["status"] == "ACTIVE":
            return got
        assert got["status"] != "CREATE FAILED", got.get("failureReason")
        time.sleep(pause(began))
    raise TimeoutError(f"{member} {names} was not ACTIVE in two minutes")


def refused(error, call, **arguments):
    """Expects a modelled exception, as its class on the client."""
    try:
        call(**arguments)
    except ClientError as e:
        got = e.response["Error"]
        assert got["Code"] == error, got
        assert got["Message"], got
        return got["Message"]
    raise AssertionError(f"{call.__name__} was not refused with {error}")


def shop():
    """300 users of four tastes and 120 items, 8,000 interactions."""
    chance = random.Random(5)
    rows = ["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"]
    for n in range(8000):
        user = chance.randrange(300)
        taste = user % 4 if chance.random() < 0.9 else chance.randrange(4)
        item = taste * 30 + int(30 * chance.random() ** 2)
        rows.append(f"u{user},i{item},View,{1_700_000_000 + n}")
    items = ["ITEM_ID,GENRES"] + [f"i{i},genre{i // 30}|{'odd' if i % 2 else 'even'}" for i in range(120)]
    return "\n".join(rows) + "\n", "\n".join(items) + "\n"


def dataset(group, kind, schema, body):
    name = "boto-" + kind.lower()
    s3.put_object(Bucket="boto", Key=f"in/{name}.csv", Body=body.encode())
    schema_arn = personalize.create_schema(name=name, schema=json.dumps(schema))["schemaArn"]
    assert json.loads(personalize.describe_schema(schemaArn=schema_arn)["schema"]["schema"]) == schema
    arn = personalize.create_dataset(name=name, schemaArn=schema_arn, datasetGroupArn=group, datasetType=kind)["datasetArn"]
    active(personalize.describe_dataset, "dataset", datasetArn=arn)
    job = personalize.create_dataset_import_job(
        jobName=name, datasetArn=arn, dataSource={"dataLocation": f"s3://boto/in/{name}.csv"}, roleArn=ROLE)["datasetImportJobArn"]
    active(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
    print("imported", kind)
    return arn


def solution(group, name, recipe):
    arn = personalize.create_solution(
        name=name, datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/" + recipe,
        performAutoTraining=False)["solutionArn"]
    active(personalize.describe_solution, "solution", solutionArn=arn)
    version = personalize.create_solution_version(solutionArn=arn)["solutionVersionArn"]
    refused("ResourceInUseException", personalize.get_solution_metrics, solutionVersionArn=version)
    got = active(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
    assert got["recipeArn"].endswith(recipe) and got["datasetGroupArn"] == group and got["solutionArn"] == arn, got
    metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert all(isinstance(v, (int, float)) for v in metrics.values()) and "coverage" in metrics, metrics
    print("trained", recipe, {k: round(v, 4) for k, v in metrics.items() if "25" in k})
    return arn, version


def campaign(name, version):
    arn = personalize.create_campaign(name=name, solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
    got = active(personalize.describe_campaign, "campaign", campaignArn=arn)
    assert "latestCampaignUpdate" not in got, got
    return arn


def main():
    interactions, items = shop()
    s3.create_bucket(Bucket="boto")
    group = personalize.create_dataset_group(name="boto")["datasetGroupArn"]
    active(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
    refused("ResourceAlreadyExistsException", personalize.create_dataset_group, name="boto")
    dataset(group, "Interactions", SCHEMA, interactions)
    dataset(group, "Items", ITEMS, items)

    arn, version = solution(group, "boto-user", "aws-user-personalization")
    user_campaign = campaign("boto-user", version)
    _, ranking = solution(group, "boto-rank", "aws-personalized-ranking")
    rank_campaign = campaign("boto-rank", ranking)
    _, sims = solution(group, "boto-sims", "aws-sims")
    sims_campaign = campaign("boto-sims", sims)
    _, popular = solution(group, "boto-pop", "aws-popularity-count")
    pop_campaign = campaign("boto-pop", popular)

    page = runtime.get_recommendations(campaignArn=user_campaign, userId="u1")
    assert len(page["itemList"]) == 25 and page["recommendationId"], page
    scores = [i["score"] for i in page["itemList"]]
    assert scores == sorted(scores, reverse=True) and 0 < sum(scores) <= 1, scores
    full = runtime.get_recommendations(campaignArn=user_campaign, userId="nobody", numResults=120)
    assert abs(sum(i["score"] for i in full["itemList"]) - 1) < 1e-3, "scores of the whole catalogue sum to one"
    ranked = runtime.get_personalized_ranking(campaignArn=rank_campaign, userId="u1", inputList=["i99", "i31", "unheard-of", "i5"])
    assert ranked["personalizedRanking"][0]["itemId"] == "i31", ranked
    assert ranked["personalizedRanking"][-1]["itemId"] == "unheard-of" and "score" not in ranked["personalizedRanking"][-1], ranked
    related = runtime.get_recommendations(campaignArn=sims_campaign, itemId="i31", numResults=10)["itemList"]
    assert all("score" not in i for i in related) and sum(30 <= int(i["itemId"][1:]) < 60 for i in related) >= 8, related
    assert "score" not in runtime.get_recommendations(campaignArn=pop_campaign, userId="u1", numResults=3)["itemList"][0]

    tracker = personalize.create_event_tracker(name="boto", datasetGroupArn=group)
    active(personalize.describe_event_tracker, "eventTracker", eventTrackerArn=tracker["eventTrackerArn"])
    before = [i["itemId"] for i in runtime.get_recommendations(campaignArn=user_campaign, userId="fresh", numResults=10)["itemList"]]
    for item in ("i61", "i62", "i63"):
        events.put_events(trackingId=tracker["trackingId"], userId="fresh", sessionId="s", eventList=[
            {"eventType": "View", "itemId": item, "sentAt": time.time()}])
    end = time.monotonic() + 5
    while True:
        after = [i["itemId"] for i in runtime.get_recommendations(campaignArn=user_campaign, userId="fresh", numResults=10)["itemList"]]
        if after != before:
            break
        assert time.monotonic() < end, "three events changed nothing"
    assert sum(60 <= int(i[1:]) < 90 for i in after) >= 6, after
    print("events changed the page")

    f = personalize.create_filter(name="boto", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.GENRES IN ($G)")["filterArn"]
    active(personalize.describe_filter, "filter", filterArn=f)
    kept = runtime.get_recommendations(campaignArn=user_campaign, userId="u1", filterArn=f, filterValues={"G": '"genre3"'})["itemList"]
    assert kept and all(90 <= int(i["itemId"][1:]) for i in kept), kept
    assert personalize.list_filters(datasetGroupArn=group)["Filters"][0]["filterArn"] == f

    second = personalize.create_solution_version(solutionArn=arn)["solutionVersionArn"]
    active(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=second)
    personalize.update_campaign(campaignArn=user_campaign, solutionVersionArn=second)
    began = time.monotonic()
    while True:
        got = personalize.describe_campaign(campaignArn=user_campaign)["campaign"]
        if got["latestCampaignUpdate"]["status"] == "ACTIVE":
            break
        assert got["solutionVersionArn"] == version, "the old version serves until the update is ACTIVE"
        assert time.monotonic() < began + 60, got
        time.sleep(pause(began))
    assert personalize.describe_campaign(campaignArn=user_campaign)["campaign"]["solutionVersionArn"] == second
    print("updated the campaign")

    versions = [v["solutionVersionArn"] for p in personalize.get_paginator("list_solution_versions").paginate(
        solutionArn=arn, PaginationConfig={"PageSize": 1}) for v in p["solutionVersions"]]
    assert sorted(versions) == sorted([version, second]), versions
    refused("ResourceInUseException", personalize.delete_solution, solutionArn=arn)
    refused("ResourceNotFoundException", personalize.describe_campaign, campaignArn=user_campaign + "x")
    refused("InvalidInputException", personalize.create_dataset_group, name="bad name!")
    refused("ResourceNotFoundException", runtime.get_recommendations, campaignArn=user_campaign + "x", userId="u1")
    clean(group, tracker["eventTrackerArn"], f, [user_campaign, rank_campaign, sims_campaign, pop_campaign])
    print("all done")


def clean(group, tracker, f, campaigns):
    """Deletes everything, in the only order that is allowed."""
    def gone(describe, **names):
        began = time.monotonic()
        while time.monotonic() < began + 30:
            try:
                describe(**names)
            except ClientError as e:
                assert e.response["Error"]["Code"] == "ResourceNotFoundException", e
                return
            time.sleep(pause(began))
        raise TimeoutError(f"{names} was not deleted")

    refused("ResourceInUseException", personalize.delete_dataset_group, datasetGroupArn=group)
    for c in campaigns:
        personalize.delete_campaign(campaignArn=c)
    for c in campaigns:
        gone(personalize.describe_campaign, campaignArn=c)
    personalize.delete_filter(filterArn=f)
    gone(personalize.describe_filter, filterArn=f)
    personalize.delete_event_tracker(eventTrackerArn=tracker)
    gone(personalize.describe_event_tracker, eventTrackerArn=tracker)
    for s in personalize.list_solutions(datasetGroupArn=group)["solutions"]:
        personalize.delete_solution(solutionArn=s["solutionArn"])
        gone(personalize.describe_solution, solutionArn=s["solutionArn"])
    for d in personalize.list_datasets(datasetGroupArn=group)["datasets"]:
        personalize.delete_dataset(datasetArn=d["datasetArn"])
        gone(personalize.describe_dataset, datasetArn=d["datasetArn"])
    for s in personalize.list_schemas()["schemas"]:
        personalize.delete_schema(schemaArn=s["schemaArn"])
    personalize.delete_dataset_group(datasetGroupArn=group)
    gone(personalize.describe_dataset_group, datasetGroupArn=group)
    print("deleted everything")


if __name__ == "__main__":
    main()
