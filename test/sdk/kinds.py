"""Every kind of resource, from its making to its end, through boto3, against AWS_ENDPOINT_URL.

Ends with 0 and one line per step, or with a traceback.
"""

import json
import time

import boto3
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/attune"
BUCKET = "python"
DEADLINE = 180  # seconds for any wait

personalize = boto3.client("personalize")
runtime = boto3.client("personalize-runtime")
events = boto3.client("personalize-events")
s3 = boto3.client("s3")


def recipe(name):
    return "arn:aws:personalize:::recipe/" + name


def where(key):
    return f"s3://{BUCKET}/{key}"


def output(key):
    return {"s3DataDestination": {"path": where(key)}}


def pause(began):
    """The time until the next look: a part of the wait so far, so that a long one is not made longer by being asked."""
    return min(max(0.01, (time.monotonic() - began) / 8), 0.2)


def settle(describe, want="ACTIVE", update=None, **arn):
    """Polls a Describe until the thing in it, or the update of it, is in a state; "gone" until it is not found."""
    began = time.monotonic()
    while time.monotonic() < began + DEADLINE:
        try:
            described = describe(**arn)
        except ClientError as e:
            if want == "gone" and e.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        thing = next(v for k, v in described.items() if k != "ResponseMetadata")
        status = thing.get(update, {}).get("status") if update else thing["status"]
        if status == want:
            return thing
        assert not (status or "").endswith("FAILED"), (arn, status, thing.get("failureReason"))
        time.sleep(pause(began))
    raise TimeoutError(f"{arn} was not {want} in time")


def schema(name, columns, **numbers):
    fields = [{"name": c, "type": numbers.get(c, "string")} for c in columns]
    return json.dumps({"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema", "fields": fields, "version": "1.0"})


HISTORY = schema("Interactions", ["USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP"], TIMESTAMP="long")
ITEMS = schema("Items", ["ITEM_ID", "CATEGORY_L1", "PRICE"], PRICE="float")


def shop():
    """300 users of four tastes and 120 items; every third event is a purchase."""
    rows = ["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"]
    for n in range(9000):
        user = n * 7 % 300
        item = user % 4 * 30 + int(30 * (n * 0.6180339887 % 1) ** 2)
        rows.append(f"u{user},i{item},{'View' if n % 3 else 'Purchase'},{1_700_000_000 + n}")
    goods = ["ITEM_ID,CATEGORY_L1,PRICE"] + [f"i{i},kind{i >> 5},{i}" for i in range(120)]
    return "\n".join(rows) + "\n", "\n".join(goods) + "\n"


def dataset(group, kind, avro, body, **domain):
    name = f"py-{domain.get('domain', 'custom')}-{kind}"
    schema_arn = personalize.create_schema(name=name, schema=avro, **domain)["schemaArn"]
    arn = personalize.create_dataset(name=name, schemaArn=schema_arn, datasetGroupArn=group, datasetType=kind)["datasetArn"]
    settle(personalize.describe_dataset, datasetArn=arn)
    s3.put_object(Bucket=BUCKET, Key=name, Body=body.encode())
    job = personalize.create_dataset_import_job(jobName=name, datasetArn=arn, roleArn=ROLE, dataSource={"dataLocation": where(name)})
    settle(personalize.describe_dataset_import_job, datasetImportJobArn=job["datasetImportJobArn"])
    return arn


def trained(group, name):
    arn = personalize.create_solution(name="py-" + name, datasetGroupArn=group, recipeArn=recipe(name), performAutoTraining=False)["solutionArn"]
    settle(personalize.describe_solution, solutionArn=arn)
    version = personalize.create_solution_version(solutionArn=arn)["solutionVersionArn"]
    settle(personalize.describe_solution_version, solutionVersionArn=version)
    return arn, version


def campaign(name, version):
    arn = personalize.create_campaign(name=name, solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
    settle(personalize.describe_campaign, campaignArn=arn)
    return arn


def lines(key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().strip().split("\n")


def main():
    interactions, goods = shop()
    s3.create_bucket(Bucket=BUCKET)
    group = personalize.create_dataset_group(name="py-custom", tags=[{"tagKey": "team", "tagValue": "search"}])["datasetGroupArn"]
    domain = personalize.create_dataset_group(name="py-shop", domain="ECOMMERCE")["datasetGroupArn"]
    for arn in group, domain:
        settle(personalize.describe_dataset_group, datasetGroupArn=arn)
    print("dataset groups")

    interactions_arn = dataset(group, "Interactions", HISTORY, interactions)
    items_arn = dataset(group, "Items", ITEMS, goods)
    people = schema("Users", ["USER_ID", "TOWN"])
    users_arn = dataset(group, "Users", people, "USER_ID,TOWN\nu1,Bern\nu2,Graz\n")
    wide = json.loads(people)
    wide["fields"].append({"name": "AGE", "type": ["null", "int"]})
    wider = personalize.create_schema(name="py-wider", schema=json.dumps(wide))["schemaArn"]
    personalize.update_dataset(datasetArn=users_arn, schemaArn=wider)
    settle(personalize.describe_dataset, update="latestDatasetUpdate", datasetArn=users_arn)
    dataset(domain, "Interactions", HISTORY, interactions, domain="ECOMMERCE")
    dataset(domain, "Items", ITEMS, goods, domain="ECOMMERCE")
    print("schemas, datasets, imports")

    tracker = personalize.create_event_tracker(name="py", datasetGroupArn=group)
    settle(personalize.describe_event_tracker, eventTrackerArn=tracker["eventTrackerArn"])
    events.put_events(trackingId=tracker["trackingId"], userId="u1", sessionId="s", eventList=[{"eventType": "View", "itemId": "i3", "sentAt": time.time()}])
    events.put_items(datasetArn=items_arn, items=[{"itemId": "new", "properties": json.dumps({"categoryL1": "kind9", "price": 1})}])
    events.put_users(datasetArn=users_arn, users=[{"userId": "u3", "properties": json.dumps({"town": "Linz", "age": 30})}])
    print("event tracker, events")

    chosen = personalize.create_filter(name="py", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($KIND)")["filterArn"]
    settle(personalize.describe_filter, filterArn=chosen)
    values = {"KIND": '"kind1"'}
    solution, version = trained(group, "aws-user-personalization")
    assert personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]["coverage"] > 0
    personalize.update_solution(solutionArn=solution, performAutoTraining=True)
    settle(personalize.describe_solution, update="latestSolutionUpdate", solutionArn=solution)
    user_campaign = campaign("py-user", version)
    personalize.update_campaign(campaignArn=user_campaign, minProvisionedTPS=2)
    settle(personalize.describe_campaign, update="latestCampaignUpdate", campaignArn=user_campaign)
    page = runtime.get_recommendations(campaignArn=user_campaign, userId="u1", numResults=5, filterArn=chosen, filterValues=values)["itemList"]
    assert len(page) == 5 and all(int(i["itemId"][1:]) >> 5 == 1 for i in page), page
    page = runtime.get_recommendations(campaignArn=user_campaign, userId="u1", numResults=10, promotions=[
        {"name": "deal", "percentPromotedItems": 30, "filterArn": chosen, "filterValues": values}])["itemList"]
    assert sum(i.get("promotionName") == "deal" for i in page) == 3, page
    ranking = campaign("py-ranking", trained(group, "aws-personalized-ranking")[1])
    ranked = runtime.get_personalized_ranking(campaignArn=ranking, userId="u1", inputList=["i1", "i31", "unknown"])["personalizedRanking"]
    assert ranked[-1]["itemId"] == "unknown", ranked
    print("filter, solutions, versions, campaigns, recommendations")

    actions_arn = dataset(group, "Actions", schema("Actions", ["ACTION_ID", "CHANNEL"]), "ACTION_ID,CHANNEL\nbuy,app\njoin,mail\n")
    happened = ["USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP"]
    happened += [f"u{n % 200},{'buy' if n % 2 else 'join'},{('Taken', 'Not Taken', 'Viewed')[n % 3]},{1_700_000_000 + n}" for n in range(600)]
    taken = dataset(group, "Action_Interactions", schema("ActionInteractions", ["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"], TIMESTAMP="long"),
                    "\n".join(happened) + "\n")
    tracking = personalize.describe_dataset(datasetArn=taken)["dataset"]["trackingId"]
    events.put_actions(datasetArn=actions_arn, actions=[{"actionId": "call", "properties": json.dumps({"channel": "phone"})}])
    events.put_action_interactions(trackingId=tracking, actionInteractions=[
        {"actionId": "buy", "userId": "u1", "sessionId": "s", "timestamp": time.time(), "eventType": "Taken"}])
    next_campaign = campaign("py-next", trained(group, "aws-next-best-action")[1])
    assert runtime.get_action_recommendations(campaignArn=next_campaign, userId="u5")["actionList"]
    print("actions")

    recommender = personalize.create_recommender(name="py", datasetGroupArn=domain, recipeArn=recipe("aws-ecomm-recommended-for-you"))["recommenderArn"]
    settle(personalize.describe_recommender, recommenderArn=recommender)
    assert runtime.get_recommendations(recommenderArn=recommender, userId="u1")["itemList"]
    personalize.update_recommender(recommenderArn=recommender, recommenderConfig={"minRecommendationRequestsPerSecond": 2})
    settle(personalize.describe_recommender, update="latestRecommenderUpdate", recommenderArn=recommender)
    personalize.stop_recommender(recommenderArn=recommender)
    settle(personalize.describe_recommender, want="INACTIVE", recommenderArn=recommender)
    personalize.start_recommender(recommenderArn=recommender)
    settle(personalize.describe_recommender, recommenderArn=recommender)
    print("recommender")

    s3.put_object(Bucket=BUCKET, Key="batch/users.json", Body=b'{"userId":"u1"}\n{"userId":"u2"}\n')
    job = personalize.create_batch_inference_job(jobName="py", solutionVersionArn=version, roleArn=ROLE, numResults=5,
                                                 jobInput={"s3DataSource": {"path": where("batch/users.json")}}, jobOutput=output("out/"))
    settle(personalize.describe_batch_inference_job, batchInferenceJobArn=job["batchInferenceJobArn"])
    answers = [json.loads(line) for line in lines("out/users.json.out")]
    assert [(a["input"]["userId"], len(a["output"]["recommendedItems"]), a["error"]) for a in answers] == [("u1", 5, None), ("u2", 5, None)], answers
    _, affinity = trained(group, "aws-item-affinity")
    s3.put_object(Bucket=BUCKET, Key="batch/items.json", Body=b'{"itemId":"i1"}\n')
    job = personalize.create_batch_segment_job(jobName="py", solutionVersionArn=affinity, roleArn=ROLE, numResults=7,
                                               jobInput={"s3DataSource": {"path": where("batch/items.json")}}, jobOutput=output("out/"))
    settle(personalize.describe_batch_segment_job, batchSegmentJobArn=job["batchSegmentJobArn"])
    assert len(json.loads(lines("out/items.json.out")[0])["output"]["recommendedUsers"]) == 7
    print("batch inference, batch segment")

    attribution = personalize.create_metric_attribution(
        name="py", datasetGroupArn=group, metrics=[{"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"}],
        metricsOutputConfig={"roleArn": ROLE, **output("metrics/")})["metricAttributionArn"]
    settle(personalize.describe_metric_attribution, metricAttributionArn=attribution)
    personalize.update_metric_attribution(metricAttributionArn=attribution, addMetrics=[
        {"eventType": "Purchase", "metricName": "revenue", "expression": "SUM(Items.PRICE)"}])
    settle(personalize.describe_metric_attribution, metricAttributionArn=attribution)
    assert len(personalize.list_metric_attribution_metrics(metricAttributionArn=attribution)["metrics"]) == 2
    job = personalize.create_dataset_export_job(jobName="py", datasetArn=interactions_arn, ingestionMode="ALL", roleArn=ROLE, jobOutput=output("export/"))
    settle(personalize.describe_dataset_export_job, datasetExportJobArn=job["datasetExportJobArn"])
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="export/")["KeyCount"] > 0
    personalize.tag_resource(resourceArn=user_campaign, tags=[{"tagKey": "k", "tagValue": "v"}])
    assert personalize.list_tags_for_resource(resourceArn=user_campaign)["tags"] == [{"tagKey": "k", "tagValue": "v"}]
    personalize.untag_resource(resourceArn=user_campaign, tagKeys=["k"])
    s3.put_object(Bucket=BUCKET, Key="forget.csv", Body=b"USER_ID\nu9\n")
    job = personalize.create_data_deletion_job(jobName="py", datasetGroupArn=group, roleArn=ROLE, dataSource={"dataLocation": where("forget.csv")})
    settle(personalize.describe_data_deletion_job, want="COMPLETED", dataDeletionJobArn=job["dataDeletionJobArn"])
    print("metric attribution, export, tags, data deletion")

    end()
    print("all deleted")


def end():
    """Lists every kind and deletes what it has, in the order that the rules ask for."""
    for noun, key, arn in [
        ("metric_attribution", "metricAttributions", "metricAttributionArn"), ("recommender", "recommenders", "recommenderArn"),
        ("campaign", "campaigns", "campaignArn"), ("solution", "solutions", "solutionArn"), ("filter", "Filters", "filterArn"),
        ("event_tracker", "eventTrackers", "eventTrackerArn"), ("dataset", "datasets", "datasetArn"), ("schema", "schemas", "schemaArn"),
        ("dataset_group", "datasetGroups", "datasetGroupArn"),
    ]:
        every = getattr(personalize, f"list_{noun}s")
        rows = every()[key]
        assert rows, f"list_{noun}s lists nothing"
        for row in rows:
            getattr(personalize, f"delete_{noun}")(**{arn: row[arn]})
            if noun != "schema":
                settle(getattr(personalize, f"describe_{noun}"), want="gone", **{arn: row[arn]})
        assert not every()[key]


main()
