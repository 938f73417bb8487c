"""What the 2016 Lambda did, with boto3: parse the event, decide, put the policy.

usage: handler.py ENDPOINT [EVENT-FILE]   with a file: handles it once and ends (a cold start);
       without: handles each line of its standard input, answering a line each (warm).
"""
import json
import sys

import boto3
import botocore.config

DENY = {"Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
CONFIG = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=True)


def handler(event, iam):
    detail = event["detail"]
    parameters = detail["requestParameters"]
    if parameters.get("attribute") == "disableApiTermination":
        is_off = parameters["value"] == "false"
    else:
        is_off = parameters["disableApiTermination"]["value"] is False
    session = detail["userIdentity"].get("sessionContext", {}).get("attributes", {})
    if is_off and session.get("mfaAuthenticated") != "true":
        iam.put_user_policy(UserName=detail["userIdentity"]["userName"], PolicyName="contained",
                            PolicyDocument=json.dumps(DENY))


def main():
    iam = boto3.client("iam", region_name="us-east-1", endpoint_url=sys.argv[1],
                       aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example",
                       config=CONFIG)
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            handler(json.load(file), iam)
        return
    print("ready", flush=True)
    for line in sys.stdin:
        handler(json.loads(line), iam)
        print("done", flush=True)


if __name__ == "__main__":
    main()
