#!/usr/bin/env bash
# Every kind of resource, from its making to its end, through the aws CLI, against AWS_ENDPOINT_URL.
set -euo pipefail
cd "$(dirname "$0")"
source ./aws.sh
ROLE=arn:aws:iam::000000000000:role/attune
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

p() { aws personalize "$@" --output text; }
wait_for() { # state, query, describe arguments…
  local want=$1 query=$2 now end=$((SECONDS + 300)); shift 2
  while [ "$SECONDS" -lt "$end" ]; do
    now=$(p "$@" --query "$query" 2>&1) || true
    case $now in
      "$want") return ;;
      *ResourceNotFoundException*) [ "$want" = gone ] && return; echo "$now"; exit 1 ;;
      *FAILED*) p "$@"; exit 1 ;;
    esac
    sleep 0.2
  done
  echo "$* is $now, not $want"; exit 1
}

# 300 users of four tastes and 120 items; every third event is a purchase.
awk 'BEGIN { print "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"
  for (n = 0; n < 9000; n++) { u = n * 7 % 300; x = n * 0.6180339887; x -= int(x)
    printf "u%d,i%d,%s,%d\n", u, u % 4 * 30 + int(30 * x * x), n % 3 ? "View" : "Purchase", 1700000000 + n } }' > "$work/interactions.csv"
awk 'BEGIN { print "ITEM_ID,CATEGORY_L1,PRICE"; for (i = 0; i < 120; i++) printf "i%d,kind%d,%d\n", i, i / 32, i }' > "$work/items.csv"
printf 'USER_ID,TOWN\nu1,Bern\nu2,Graz\n' > "$work/users.csv"
printf 'ACTION_ID,CHANNEL\nbuy,app\njoin,mail\n' > "$work/actions.csv"
awk 'BEGIN { print "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP"; split("Taken,Not Taken,Viewed", t, ",")
  for (n = 0; n < 600; n++) printf "u%d,%s,%s,%d\n", n % 200, n % 2 ? "buy" : "join", t[n % 3 + 1], 1700000000 + n }' > "$work/taken.csv"
printf '{"userId":"u1"}\n{"userId":"u2"}\n' > "$work/users.json"
printf '{"itemId":"i1"}\n' > "$work/items.json"
printf 'USER_ID\nu9\n' > "$work/forget.csv"
aws s3 mb s3://shell > /dev/null
aws s3 cp --recursive --quiet "$work" s3://shell/in

field() { printf '{"name":"%s","type":%s}' "$1" "$2"; }
avro() { # name, fields…
  local name=$1 IFS=,; shift
  printf '{"type":"record","name":"%s","namespace":"n","version":"1.0","fields":[%s]}' "$name" "$*"
}
string='"string"'
HISTORY=$(avro Interactions "$(field USER_ID $string)" "$(field ITEM_ID $string)" "$(field EVENT_TYPE $string)" "$(field TIMESTAMP '"long"')")
ITEMS=$(avro Items "$(field ITEM_ID $string)" "$(field CATEGORY_L1 $string)" "$(field PRICE '"float"')")
USERS=$(avro Users "$(field USER_ID $string)" "$(field TOWN $string)")
WIDER=$(avro Users "$(field USER_ID $string)" "$(field TOWN $string)" "$(field AGE '["null","int"]')")
ACTIONS=$(avro Actions "$(field ACTION_ID $string)" "$(field CHANNEL $string)")
TAKEN=$(avro ActionInteractions "$(field USER_ID $string)" "$(field ACTION_ID $string)" "$(field EVENT_TYPE $string)" "$(field TIMESTAMP '"long"')")

group=$(p create-dataset-group --name sh-custom --tags tagKey=team,tagValue=search --query datasetGroupArn)
domain=$(p create-dataset-group --name sh-shop --domain ECOMMERCE --query datasetGroupArn)
wait_for ACTIVE datasetGroup.status describe-dataset-group --dataset-group-arn "$group"
wait_for ACTIVE datasetGroup.status describe-dataset-group --dataset-group-arn "$domain"
echo "dataset groups"

dataset() { # group, type, schema, file, further arguments of create-schema
  local name schema arn job
  name=sh-${1##*/}-$2
  schema=$(p create-schema --name "$name" --schema "$3" "${@:5}" --query schemaArn)
  arn=$(p create-dataset --name "$name" --schema-arn "$schema" --dataset-group-arn "$1" --dataset-type "$2" --query datasetArn)
  wait_for ACTIVE dataset.status describe-dataset --dataset-arn "$arn"
  job=$(p create-dataset-import-job --job-name "$name" --dataset-arn "$arn" --role-arn $ROLE --data-source "dataLocation=s3://shell/in/$4" --query datasetImportJobArn)
  wait_for ACTIVE datasetImportJob.status describe-dataset-import-job --dataset-import-job-arn "$job"
  echo "$arn"
}
interactions=$(dataset "$group" Interactions "$HISTORY" interactions.csv)
items=$(dataset "$group" Items "$ITEMS" items.csv)
users=$(dataset "$group" Users "$USERS" users.csv)
wider=$(p create-schema --name sh-wider --schema "$WIDER" --query schemaArn)
p update-dataset --dataset-arn "$users" --schema-arn "$wider" > /dev/null
wait_for ACTIVE dataset.latestDatasetUpdate.status describe-dataset --dataset-arn "$users"
dataset "$domain" Interactions "$HISTORY" interactions.csv --domain ECOMMERCE > /dev/null
dataset "$domain" Items "$ITEMS" items.csv --domain ECOMMERCE > /dev/null
echo "schemas, datasets, imports"

tracker=$(p create-event-tracker --name sh --dataset-group-arn "$group" --query eventTrackerArn)
wait_for ACTIVE eventTracker.status describe-event-tracker --event-tracker-arn "$tracker"
tracking=$(p describe-event-tracker --event-tracker-arn "$tracker" --query eventTracker.trackingId)
aws personalize-events put-events --tracking-id "$tracking" --user-id u1 --session-id s --event-list "eventType=View,itemId=i3,sentAt=$(date +%s)"
aws personalize-events put-items --dataset-arn "$items" --items '[{"itemId":"new","properties":"{\"categoryL1\":\"kind9\",\"price\":1}"}]'
aws personalize-events put-users --dataset-arn "$users" --users '[{"userId":"u3","properties":"{\"town\":\"Linz\",\"age\":30}"}]'
echo "event tracker, events"

filter=$(p create-filter --name sh --dataset-group-arn "$group" --filter-expression 'INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($KIND)' --query filterArn)
wait_for ACTIVE filter.status describe-filter --filter-arn "$filter"
solution() { # group, recipe
  local arn
  arn=$(p create-solution --name "sh-$2" --dataset-group-arn "$1" --recipe-arn "arn:aws:personalize:::recipe/$2" --no-perform-auto-training --query solutionArn)
  wait_for ACTIVE solution.status describe-solution --solution-arn "$arn"
  echo "$arn"
}
version() { # solution
  local arn
  arn=$(p create-solution-version --solution-arn "$1" --query solutionVersionArn)
  wait_for ACTIVE solutionVersion.status describe-solution-version --solution-version-arn "$arn"
  echo "$arn"
}
campaign() { # name, version
  local arn
  arn=$(p create-campaign --name "$1" --solution-version-arn "$2" --min-provisioned-tps 1 --query campaignArn)
  wait_for ACTIVE campaign.status describe-campaign --campaign-arn "$arn"
  echo "$arn"
}
r() { aws personalize-runtime "$@" --output text; }
user=$(solution "$group" aws-user-personalization)
trained=$(version "$user")
p get-solution-metrics --solution-version-arn "$trained" --query metrics.coverage > /dev/null
p update-solution --solution-arn "$user" --perform-auto-training > /dev/null
wait_for ACTIVE solution.latestSolutionUpdate.status describe-solution --solution-arn "$user"
asked=$(campaign sh-user "$trained")
p update-campaign --campaign-arn "$asked" --min-provisioned-tps 2 > /dev/null
wait_for ACTIVE campaign.latestCampaignUpdate.status describe-campaign --campaign-arn "$asked"
test "$(r get-recommendations --campaign-arn "$asked" --user-id u1 --num-results 5 --filter-arn "$filter" --filter-values '{"KIND":"\"kind1\""}' --query 'length(itemList)')" = 5
promotion="[{\"name\":\"deal\",\"percentPromotedItems\":30,\"filterArn\":\"$filter\",\"filterValues\":{\"KIND\":\"\\\"kind1\\\"\"}}]"
test "$(r get-recommendations --campaign-arn "$asked" --user-id u1 --num-results 10 --promotions "$promotion" --query "length(itemList[?promotionName=='deal'])")" = 3
ranking=$(campaign sh-ranking "$(version "$(solution "$group" aws-personalized-ranking)")")
test "$(r get-personalized-ranking --campaign-arn "$ranking" --user-id u1 --input-list i1 i31 unknown --query 'personalizedRanking[-1].itemId')" = unknown
echo "filter, solutions, versions, campaigns, recommendations"

actions=$(dataset "$group" Actions "$ACTIONS" actions.csv)
taken=$(dataset "$group" Action_Interactions "$TAKEN" taken.csv)
tracking=$(p describe-dataset --dataset-arn "$taken" --query dataset.trackingId)
aws personalize-events put-actions --dataset-arn "$actions" --actions '[{"actionId":"call","properties":"{\"channel\":\"phone\"}"}]'
aws personalize-events put-action-interactions --tracking-id "$tracking" --action-interactions "actionId=buy,userId=u1,sessionId=s,timestamp=$(date +%s),eventType=Taken"
next=$(campaign sh-next "$(version "$(solution "$group" aws-next-best-action)")")
test "$(r get-action-recommendations --campaign-arn "$next" --user-id u5 --query 'length(actionList)')" -gt 0
echo "actions"

recommender=$(p create-recommender --name sh --dataset-group-arn "$domain" --recipe-arn arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you --query recommenderArn)
wait_for ACTIVE recommender.status describe-recommender --recommender-arn "$recommender"
test "$(r get-recommendations --recommender-arn "$recommender" --user-id u1 --query 'length(itemList)')" -gt 0
p update-recommender --recommender-arn "$recommender" --recommender-config minRecommendationRequestsPerSecond=2 > /dev/null
wait_for ACTIVE recommender.latestRecommenderUpdate.status describe-recommender --recommender-arn "$recommender"
p stop-recommender --recommender-arn "$recommender" > /dev/null
wait_for INACTIVE recommender.status describe-recommender --recommender-arn "$recommender"
p start-recommender --recommender-arn "$recommender" > /dev/null
wait_for ACTIVE recommender.status describe-recommender --recommender-arn "$recommender"
echo "recommender"

out="s3DataDestination={path=s3://shell/out/}"
job=$(p create-batch-inference-job --job-name sh --solution-version-arn "$trained" --role-arn $ROLE --num-results 5 \
  --job-input "s3DataSource={path=s3://shell/in/users.json}" --job-output "$out" --query batchInferenceJobArn)
wait_for ACTIVE batchInferenceJob.status describe-batch-inference-job --batch-inference-job-arn "$job"
test "$(aws s3 cp s3://shell/out/users.json.out - | grep -c '"error":null')" = 2
affinity=$(version "$(solution "$group" aws-item-affinity)")
job=$(p create-batch-segment-job --job-name sh --solution-version-arn "$affinity" --role-arn $ROLE --num-results 7 \
  --job-input "s3DataSource={path=s3://shell/in/items.json}" --job-output "$out" --query batchSegmentJobArn)
wait_for ACTIVE batchSegmentJob.status describe-batch-segment-job --batch-segment-job-arn "$job"
aws s3 cp s3://shell/out/items.json.out - | grep -q recommendedUsers
echo "batch inference, batch segment"

attribution=$(p create-metric-attribution --name sh --dataset-group-arn "$group" --metrics 'eventType=View,metricName=views,expression=SAMPLECOUNT()' \
  --metrics-output-config "s3DataDestination={path=s3://shell/metrics/},roleArn=$ROLE" --query metricAttributionArn)
wait_for ACTIVE metricAttribution.status describe-metric-attribution --metric-attribution-arn "$attribution"
p update-metric-attribution --metric-attribution-arn "$attribution" --add-metrics 'eventType=Purchase,metricName=revenue,expression=SUM(Items.PRICE)' > /dev/null
wait_for ACTIVE metricAttribution.status describe-metric-attribution --metric-attribution-arn "$attribution"
test "$(p list-metric-attribution-metrics --metric-attribution-arn "$attribution" --query 'length(metrics)')" = 2
job=$(p create-dataset-export-job --job-name sh --dataset-arn "$interactions" --ingestion-mode ALL --role-arn $ROLE \
  --job-output "s3DataDestination={path=s3://shell/export/}" --query datasetExportJobArn)
wait_for ACTIVE datasetExportJob.status describe-dataset-export-job --dataset-export-job-arn "$job"
aws s3 ls --recursive s3://shell/export/ | grep -q csv
p tag-resource --resource-arn "$asked" --tags tagKey=k,tagValue=v
test "$(p list-tags-for-resource --resource-arn "$asked" --query 'tags[0].tagValue')" = v
p untag-resource --resource-arn "$asked" --tag-keys k
job=$(p create-data-deletion-job --job-name sh --dataset-group-arn "$group" --role-arn $ROLE --data-source dataLocation=s3://shell/in/forget.csv --query dataDeletionJobArn)
wait_for COMPLETED dataDeletionJob.status describe-data-deletion-job --data-deletion-job-arn "$job"
echo "metric attribution, export, tags, data deletion"

# Lists every kind and deletes what it has, in the order that the rules ask for.
while read -r noun key member; do
  arns=$(p "list-${noun}s" --query "$key[].$member")
  test -n "$arns"
  for arn in $arns; do
    p "delete-$noun" "--$noun-arn" "$arn"
    [ "$noun" = schema ] || wait_for gone none "describe-$noun" "--$noun-arn" "$arn"
  done
done <<'KINDS'
metric-attribution metricAttributions metricAttributionArn
recommender recommenders recommenderArn
campaign campaigns campaignArn
solution solutions solutionArn
filter Filters filterArn
event-tracker eventTrackers eventTrackerArn
dataset datasets datasetArn
schema schemas schemaArn
dataset-group datasetGroups datasetGroupArn
KINDS
echo "all deleted"
