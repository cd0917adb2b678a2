#!/usr/bin/env bash
# The whole life of a recommender through the aws CLI (v1 or v2, $AWS), against
# AWS_ENDPOINT_URL. Ends with 0, or at the first call that fails.
set -euo pipefail
cd "$(dirname "$0")"
source ./aws.sh
ROLE=arn:aws:iam::000000000000:role/attune
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# v1 before 1.29 and v2 before 2.13 know only --endpoint-url.
there=(--endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION")
call() { aws "${there[@]}" "$@"; }
get() { call "$@" --output text; }

# active WHAT MEMBER COMMAND… polls a describe until it says ACTIVE.
active() {
  local what=$1 member=$2 status end=$((SECONDS + 120)); shift 2
  while [ "$SECONDS" -lt "$end" ]; do
    status=$(get personalize "$@" --query "$member.status")
    [ "$status" = ACTIVE ] && { echo "$what is ACTIVE"; return; }
    [ "$status" = "CREATE FAILED" ] && { call personalize "$@"; return 1; }
    sleep 0.2
  done
  echo "$what is $status after too long"; return 1
}

awk 'BEGIN { srand(3); print "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"
  for (n = 0; n < 4000; n++) { u = int(rand() * 150); print "u" u ",i" (u % 3) * 20 + int(20 * rand() * rand()) ",View," 1700000000 + n } }' > "$dir/interactions.csv"
echo '{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}' > "$dir/schema.json"

command "$AWS" "${there[@]}" s3 mb s3://cli # a start of the program itself, as people start it
call s3 cp "$dir/interactions.csv" s3://cli/in/interactions.csv
call s3 ls s3://cli/in/ | grep -q interactions.csv
call s3 cp s3://cli/in/interactions.csv "$dir/back.csv" && cmp "$dir/interactions.csv" "$dir/back.csv"

group=$(get personalize create-dataset-group --name cli --query datasetGroupArn)
active group datasetGroup describe-dataset-group --dataset-group-arn "$group"
schema=$(get personalize create-schema --name cli --schema "file://$dir/schema.json" --query schemaArn)
set=$(get personalize create-dataset --name cli --schema-arn "$schema" --dataset-group-arn "$group" --dataset-type Interactions --query datasetArn)
active dataset dataset describe-dataset --dataset-arn "$set"
job=$(get personalize create-dataset-import-job --job-name cli --dataset-arn "$set" --data-source dataLocation=s3://cli/in --role-arn "$ROLE" --query datasetImportJobArn)
active import datasetImportJob describe-dataset-import-job --dataset-import-job-arn "$job"
solution=$(get personalize create-solution --name cli --dataset-group-arn "$group" --recipe-arn arn:aws:personalize:::recipe/aws-user-personalization --query solutionArn)
active solution solution describe-solution --solution-arn "$solution"
version=$(get personalize create-solution-version --solution-arn "$solution" --query solutionVersionArn)
active version solutionVersion describe-solution-version --solution-version-arn "$version"
call personalize get-solution-metrics --solution-version-arn "$version"
campaign=$(get personalize create-campaign --name cli --solution-version-arn "$version" --query campaignArn)
active campaign campaign describe-campaign --campaign-arn "$campaign"

first=$(get personalize-runtime get-recommendations --campaign-arn "$campaign" --user-id newcomer --num-results 5 --query 'itemList[].itemId')
echo "newcomer: $first"
[ "$(wc -w <<< "$first")" = 5 ]

tracker=$(get personalize create-event-tracker --name cli --dataset-group-arn "$group" --query eventTrackerArn)
active tracker eventTracker describe-event-tracker --event-tracker-arn "$tracker"
tracking=$(get personalize describe-event-tracker --event-tracker-arn "$tracker" --query eventTracker.trackingId)
call personalize-events put-events --tracking-id "$tracking" --user-id newcomer --session-id s \
  --event-list "[{\"eventType\":\"View\",\"itemId\":\"i45\",\"sentAt\":$(date +%s)},{\"eventType\":\"View\",\"itemId\":\"i46\",\"sentAt\":$(date +%s)}]"
second=$(get personalize-runtime get-recommendations --campaign-arn "$campaign" --user-id newcomer --num-results 5 --query 'itemList[].itemId')
echo "newcomer after two events: $second"
[ "$first" != "$second" ]

call personalize list-recipes --query 'recipes[].name'
call personalize list-campaigns --max-items 1 | grep -q campaignArn
if call personalize describe-campaign --campaign-arn "${campaign}x" 2> "$dir/err"; then echo "a missing campaign was found"; exit 1; fi
grep -q ResourceNotFoundException "$dir/err"
call s3 rm s3://cli/in/interactions.csv
echo "all done"
