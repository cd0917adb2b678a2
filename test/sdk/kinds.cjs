// Every kind of resource, from its making to its end, through the JavaScript
// SDK v3, against AWS_ENDPOINT_URL. Ends with 0 and one line per step.
"use strict";

const assert = require("node:assert/strict");
const { Personalize } = require("@aws-sdk/client-personalize");
const { PersonalizeEvents } = require("@aws-sdk/client-personalize-events");
const { PersonalizeRuntime } = require("@aws-sdk/client-personalize-runtime");
const { S3 } = require("@aws-sdk/client-s3");

const ROLE = "arn:aws:iam::000000000000:role/attune";
const BUCKET = "javascript";
const DEADLINE = 180_000; // milliseconds for any wait

const personalize = new Personalize();
const events = new PersonalizeEvents();
const runtime = new PersonalizeRuntime();
const s3 = new S3({ forcePathStyle: true });

const recipe = (name) => `arn:aws:personalize:::recipe/${name}`;
const where = (key) => `s3://${BUCKET}/${key}`;
const output = (key) => ({ s3DataDestination: { path: where(key) } });

/** Polls a Describe until the thing in it, or the update of it, is in a state; "gone" until it is not found. */
async function settle(describe, arn, want = "ACTIVE", update = undefined) {
  // The pause is a part of the wait so far, so that a long one is not made longer by being asked.
  const pause = (began) => new Promise((r) => setTimeout(r, Math.min(Math.max(10, (Date.now() - began) / 8), 200)));
  for (const began = Date.now(); Date.now() < began + DEADLINE; await pause(began)) {
    let described;
    try {
      described = await personalize[describe](arn);
    } catch (e) {
      if (want === "gone" && e.name === "ResourceNotFoundException") return undefined;
      throw e;
    }
    const thing = Object.entries(described).find(([name]) => name !== "$metadata")[1];
    const status = update ? thing[update]?.status : thing.status;
    if (status === want) return thing;
    assert.ok(!/FAILED$/.test(status ?? ""), `${describe}: ${status}: ${thing.failureReason}`);
  }
  throw new Error(`${describe} ${JSON.stringify(arn)} was not ${want} in time`);
}

async function refused(name, call) {
  await assert.rejects(call, (e) => e.name === name || assert.fail(`${e.name}: ${e.message}, want ${name}`));
}

/** A schema with string columns, but for the numbers named. */
function schema(name, columns, numbers = {}) {
  const fields = columns.map((column) => ({ name: column, type: numbers[column] ?? "string" }));
  return JSON.stringify({ type: "record", name, namespace: "com.amazonaws.personalize.schema", fields, version: "1.0" });
}

const history = schema("Interactions", ["USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP"], { TIMESTAMP: "long" });
const items = schema("Items", ["ITEM_ID", "CATEGORY_L1", "PRICE"], { PRICE: "float" });

/** 300 users of four tastes and 120 items; every third event is a purchase. */
function shop() {
  const rows = ["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"];
  for (let n = 0; n < 9000; n++) {
    const user = (n * 7) % 300;
    const item = (user % 4) * 30 + Math.floor(30 * ((n * 0.6180339887) % 1) ** 2);
    rows.push(`u${user},i${item},${n % 3 ? "View" : "Purchase"},${1_700_000_000 + n}`);
  }
  const goods = ["ITEM_ID,CATEGORY_L1,PRICE"];
  for (let i = 0; i < 120; i++) goods.push(`i${i},kind${i >> 5},${i}`);
  return [rows.join("\n") + "\n", goods.join("\n") + "\n"];
}

async function dataset(group, domain, type, avro, body) {
  const name = `js-${domain ?? "custom"}-${type}`;
  const { schemaArn } = await personalize.createSchema({ name, schema: avro, domain });
  const { datasetArn } = await personalize.createDataset({ name, schemaArn, datasetGroupArn: group, datasetType: type });
  await settle("describeDataset", { datasetArn });
  if (body) {
    await s3.putObject({ Bucket: BUCKET, Key: name, Body: body });
    const { datasetImportJobArn } = await personalize.createDatasetImportJob({
      jobName: name, datasetArn, roleArn: ROLE, dataSource: { dataLocation: where(name) } });
    await settle("describeDatasetImportJob", { datasetImportJobArn });
  }
  return datasetArn;
}

async function trained(group, name) {
  const { solutionArn } = await personalize.createSolution({ name: `js-${name}`, datasetGroupArn: group, recipeArn: recipe(name), performAutoTraining: false });
  await settle("describeSolution", { solutionArn });
  const { solutionVersionArn } = await personalize.createSolutionVersion({ solutionArn });
  await settle("describeSolutionVersion", { solutionVersionArn });
  return { solutionArn, solutionVersionArn };
}

async function campaign(name, solutionVersionArn) {
  const { campaignArn } = await personalize.createCampaign({ name, solutionVersionArn, minProvisionedTPS: 1 });
  await settle("describeCampaign", { campaignArn });
  return campaignArn;
}

async function lines(key) {
  const object = await s3.getObject({ Bucket: BUCKET, Key: key });
  return (await object.Body.transformToString()).trim().split("\n");
}

async function keys(prefix) {
  const { Contents } = await s3.listObjectsV2({ Bucket: BUCKET, Prefix: prefix });
  return (Contents ?? []).map((o) => o.Key);
}

async function main() {
  const [interactions, goods] = shop();
  await s3.createBucket({ Bucket: BUCKET });
  const { datasetGroupArn: group } = await personalize.createDatasetGroup({ name: "js-custom", tags: [{ tagKey: "team", tagValue: "search" }] });
  const { datasetGroupArn: domain } = await personalize.createDatasetGroup({ name: "js-shop", domain: "ECOMMERCE" });
  for (const datasetGroupArn of [group, domain]) await settle("describeDatasetGroup", { datasetGroupArn });
  await refused("ResourceAlreadyExistsException", personalize.createDatasetGroup({ name: "js-custom" }));
  console.log("dataset groups");

  const interactionsArn = await dataset(group, undefined, "Interactions", history, interactions);
  const itemsArn = await dataset(group, undefined, "Items", items, goods);
  const people = schema("Users", ["USER_ID", "TOWN"]);
  const usersArn = await dataset(group, undefined, "Users", people, "USER_ID,TOWN\nu1,Bern\nu2,Graz\n");
  const { schemaArn: wider } = await personalize.createSchema({ name: "js-wider", schema: people.replace(/\],"version"/, ',{"name":"AGE","type":["null","int"]}],"version"') });
  await personalize.updateDataset({ datasetArn: usersArn, schemaArn: wider });
  await settle("describeDataset", { datasetArn: usersArn }, "ACTIVE", "latestDatasetUpdate");
  await dataset(domain, "ECOMMERCE", "Interactions", history, interactions);
  await dataset(domain, "ECOMMERCE", "Items", items, goods);
  console.log("schemas, datasets, imports");

  const { eventTrackerArn, trackingId } = await personalize.createEventTracker({ name: "js", datasetGroupArn: group });
  await settle("describeEventTracker", { eventTrackerArn });
  await events.putEvents({ trackingId, userId: "u1", sessionId: "s", eventList: [{ eventType: "View", itemId: "i3", sentAt: new Date() }] });
  await events.putItems({ datasetArn: itemsArn, items: [{ itemId: "new", properties: JSON.stringify({ categoryL1: "kind9", price: 1 }) }] });
  await events.putUsers({ datasetArn: usersArn, users: [{ userId: "u3", properties: JSON.stringify({ town: "Linz", age: 30 }) }] });
  console.log("event tracker, events");

  const { filterArn } = await personalize.createFilter({ name: "js", datasetGroupArn: group, filterExpression: "INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($KIND)" });
  await settle("describeFilter", { filterArn });

  const user = await trained(group, "aws-user-personalization");
  const { metrics } = await personalize.getSolutionMetrics({ solutionVersionArn: user.solutionVersionArn });
  assert.ok(metrics.coverage > 0);
  await personalize.updateSolution({ solutionArn: user.solutionArn, performAutoTraining: true });
  await settle("describeSolution", { solutionArn: user.solutionArn }, "ACTIVE", "latestSolutionUpdate");
  const ranking = await trained(group, "aws-personalized-ranking");
  const campaignArn = await campaign("js-user", user.solutionVersionArn);
  await personalize.updateCampaign({ campaignArn, minProvisionedTPS: 2 });
  await settle("describeCampaign", { campaignArn }, "ACTIVE", "latestCampaignUpdate");
  const filterValues = { KIND: '"kind1"' };
  const page = await runtime.getRecommendations({ campaignArn, userId: "u1", numResults: 5, filterArn, filterValues });
  assert.ok(page.itemList.length === 5 && page.itemList.every((i) => +i.itemId.slice(1) >> 5 === 1), JSON.stringify(page));
  const promoted = await runtime.getRecommendations({ campaignArn, userId: "u1", numResults: 10, promotions: [{ name: "deal", percentPromotedItems: 30, filterArn, filterValues }] });
  assert.equal(promoted.itemList.filter((i) => i.promotionName === "deal").length, 3);
  const ranked = await runtime.getPersonalizedRanking({ campaignArn: await campaign("js-ranking", ranking.solutionVersionArn), userId: "u1", inputList: ["i1", "i31", "unknown"] });
  assert.equal(ranked.personalizedRanking.at(-1).itemId, "unknown");
  console.log("filter, solutions, versions, campaigns, recommendations");

  const actionsArn = await dataset(group, undefined, "Actions", schema("Actions", ["ACTION_ID", "CHANNEL"]), "ACTION_ID,CHANNEL\nbuy,app\njoin,mail\n");
  const happened = ["USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP"];
  for (let n = 0; n < 600; n++) happened.push(`u${n % 200},${n % 2 ? "buy" : "join"},${["Taken", "Not Taken", "Viewed"][n % 3]},${1_700_000_000 + n}`);
  const takenArn = await dataset(group, undefined, "Action_Interactions", schema("ActionInteractions", ["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"], { TIMESTAMP: "long" }), happened.join("\n") + "\n");
  const { trackingId: actionTracking } = await settle("describeDataset", { datasetArn: takenArn });
  await events.putActions({ datasetArn: actionsArn, actions: [{ actionId: "call", properties: JSON.stringify({ channel: "phone" }) }] });
  await events.putActionInteractions({ trackingId: actionTracking, actionInteractions: [{ actionId: "buy", userId: "u1", sessionId: "s", timestamp: new Date(), eventType: "Taken" }] });
  const next = await trained(group, "aws-next-best-action");
  const nextCampaign = await campaign("js-next", next.solutionVersionArn);
  const { actionList } = await runtime.getActionRecommendations({ campaignArn: nextCampaign, userId: "u5" });
  assert.ok(actionList.length > 0);
  console.log("actions");

  const { recommenderArn } = await personalize.createRecommender({ name: "js", datasetGroupArn: domain, recipeArn: recipe("aws-ecomm-recommended-for-you") });
  await settle("describeRecommender", { recommenderArn });
  assert.ok((await runtime.getRecommendations({ recommenderArn, userId: "u1" })).itemList.length > 0);
  await personalize.updateRecommender({ recommenderArn, recommenderConfig: { minRecommendationRequestsPerSecond: 2 } });
  await settle("describeRecommender", { recommenderArn }, "ACTIVE", "latestRecommenderUpdate");
  await personalize.stopRecommender({ recommenderArn });
  await settle("describeRecommender", { recommenderArn }, "INACTIVE");
  await personalize.startRecommender({ recommenderArn });
  await settle("describeRecommender", { recommenderArn });
  console.log("recommender");

  await s3.putObject({ Bucket: BUCKET, Key: "batch/users.json", Body: '{"userId":"u1"}\n{"userId":"u2"}\n' });
  const { batchInferenceJobArn } = await personalize.createBatchInferenceJob({ jobName: "js", solutionVersionArn: user.solutionVersionArn, roleArn: ROLE,
    numResults: 5, jobInput: { s3DataSource: { path: where("batch/users.json") } }, jobOutput: output("out/") });
  await settle("describeBatchInferenceJob", { batchInferenceJobArn });
  const answers = (await lines("out/users.json.out")).map((line) => JSON.parse(line));
  assert.deepEqual(answers.map((a) => [a.input.userId, a.output.recommendedItems.length, a.error]), [["u1", 5, null], ["u2", 5, null]]);
  const affinity = await trained(group, "aws-item-affinity");
  await s3.putObject({ Bucket: BUCKET, Key: "batch/items.json", Body: '{"itemId":"i1"}\n' });
  const { batchSegmentJobArn } = await personalize.createBatchSegmentJob({ jobName: "js", solutionVersionArn: affinity.solutionVersionArn, roleArn: ROLE,
    numResults: 7, jobInput: { s3DataSource: { path: where("batch/items.json") } }, jobOutput: output("out/") });
  await settle("describeBatchSegmentJob", { batchSegmentJobArn });
  assert.equal(JSON.parse((await lines("out/items.json.out"))[0]).output.recommendedUsers.length, 7);
  console.log("batch inference, batch segment");

  const { metricAttributionArn } = await personalize.createMetricAttribution({ name: "js", datasetGroupArn: group,
    metrics: [{ eventType: "View", metricName: "views", expression: "SAMPLECOUNT()" }], metricsOutputConfig: { roleArn: ROLE, ...output("metrics/") } });
  await settle("describeMetricAttribution", { metricAttributionArn });
  await personalize.updateMetricAttribution({ metricAttributionArn, addMetrics: [{ eventType: "Purchase", metricName: "revenue", expression: "SUM(Items.PRICE)" }] });
  await settle("describeMetricAttribution", { metricAttributionArn });
  assert.equal((await personalize.listMetricAttributionMetrics({ metricAttributionArn })).metrics.length, 2);
  const { datasetExportJobArn } = await personalize.createDatasetExportJob({ jobName: "js", datasetArn: interactionsArn, ingestionMode: "ALL", roleArn: ROLE, jobOutput: output("export/") });
  await settle("describeDatasetExportJob", { datasetExportJobArn });
  assert.ok((await keys("export/")).length > 0);
  await personalize.tagResource({ resourceArn: campaignArn, tags: [{ tagKey: "k", tagValue: "v" }] });
  assert.deepEqual((await personalize.listTagsForResource({ resourceArn: campaignArn })).tags, [{ tagKey: "k", tagValue: "v" }]);
  await personalize.untagResource({ resourceArn: campaignArn, tagKeys: ["k"] });
  await s3.putObject({ Bucket: BUCKET, Key: "forget.csv", Body: "USER_ID\nu9\n" });
  const { dataDeletionJobArn } = await personalize.createDataDeletionJob({ jobName: "js", datasetGroupArn: group, roleArn: ROLE, dataSource: { dataLocation: where("forget.csv") } });
  await settle("describeDataDeletionJob", { dataDeletionJobArn }, "COMPLETED");
  console.log("metric attribution, export, tags, data deletion");

  await end();
  console.log("all deleted");
}

/** Lists every kind and deletes what it has, in the order that the rules ask for. */
async function end() {
  for (const [list, key, arn, noun] of [
    ["listMetricAttributions", "metricAttributions", "metricAttributionArn", "MetricAttribution"],
    ["listRecommenders", "recommenders", "recommenderArn", "Recommender"],
    ["listCampaigns", "campaigns", "campaignArn", "Campaign"],
    ["listSolutions", "solutions", "solutionArn", "Solution"],
    ["listFilters", "Filters", "filterArn", "Filter"],
    ["listEventTrackers", "eventTrackers", "eventTrackerArn", "EventTracker"],
    ["listDatasets", "datasets", "datasetArn", "Dataset"],
    ["listSchemas", "schemas", "schemaArn", undefined],
    ["listDatasetGroups", "datasetGroups", "datasetGroupArn", "DatasetGroup"],
  ]) {
    const rows = (await personalize[list]({}))[key];
    assert.ok(rows.length > 0, `${list} lists nothing`);
    for (const row of rows) {
      const name = { [arn]: row[arn] };
      await personalize[`delete${noun ?? "Schema"}`](name);
      if (noun) await settle(`describe${noun}`, name, "gone");
    }
    assert.deepEqual((await personalize[list]({}))[key], []);
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
