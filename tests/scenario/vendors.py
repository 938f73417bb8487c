"""What each vendor documents of the notifications that it takes, as checks of what came. Sources: docs/FACTS.md, 13."""
import base64
import datetime
import hashlib
import hmac
import json
import re
import time
import urllib.parse

import botocore.session
import botocore.validate

WEBHOOK_KEY = "whsec_" + base64.b64encode(b"scenario-webhook-key-0123456789").decode()
ROUTING_KEY = "R0123456789abcdef0123456789abcde"
SPLUNK_TOKEN = "Splunk 00112233-4455-6677-8899-aabbccddeeff"


def need(condition, what):
    if not condition:
        raise AssertionError(what)


def texts(node):
    """Every string in a document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (list, dict)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from texts(child)


def document(request, most_bytes):
    need(request.headers["Content-Type"] == "application/json", request.headers["Content-Type"])
    need(len(request.body) <= most_bytes, f"{len(request.body)} bytes")
    return json.loads(request.body)


def is_time(text):
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text)) and \
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def slack(request):
    body = document(request, 1 << 20)
    need(set(body) <= {"text", "blocks", "thread_ts", "mrkdwn", "unfurl_links"}, body)
    need(body["text"] and len(body["text"]) <= 40000 and not re.search("[<>&]", body["text"]), body["text"])
    need(len(body["blocks"]) <= 50, "blocks")
    limits = {"header": 150, "button": 75}
    for block in body["blocks"]:
        need(block["type"] in ("header", "section", "actions"), block)
        if block["type"] == "header":
            need(block["text"]["type"] == "plain_text" and 0 < len(block["text"]["text"]) <= limits["header"], block)
        elif block["type"] == "section":
            need(1 <= len(block["fields"]) <= 10, block)
            for field in block["fields"]:
                need(field["type"] == "plain_text" and 0 < len(field["text"]) <= 2000, field)
        else:
            need(1 <= len(block["elements"]) <= 25, block)
            for element in block["elements"]:
                need(element["type"] == "button" and len(element["text"]["text"]) <= limits["button"], element)
                need(len(element["action_id"]) <= 255 and len(element["url"]) <= 3000, element)
    return body


def teams(request):
    body = document(request, 28 * 1024)
    need(set(body) == {"type", "attachments"} and body["type"] == "message" and len(body["attachments"]) == 1, body)
    attachment = body["attachments"][0]
    need(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", attachment)
    need(attachment["contentUrl"] is None, attachment)
    card = attachment["content"]
    need(card["type"] == "AdaptiveCard" and re.fullmatch(r"1\.[0-5]", card["version"]), card)
    need(card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json", card)
    for element in card["body"]:
        need(element["type"] in ("TextBlock", "RichTextBlock"), element)
        if element["type"] == "TextBlock":
            need(isinstance(element["text"], str), element)
        else:
            need(all(run["type"] == "TextRun" and isinstance(run["text"], str) for run in element["inlines"]), element)
    need(all(a["type"] == "Action.OpenUrl" and a["title"] and a["url"] for a in card["actions"]), card)
    return body


def pagerduty(request):
    body = document(request, 512 * 1024)
    need(body["routing_key"] == ROUTING_KEY and len(body["routing_key"]) == 32, "routing_key")
    need(body["event_action"] in ("trigger", "acknowledge", "resolve"), body)
    need(0 < len(body["dedup_key"]) <= 255, body)
    need(set(body) <= {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client",
                       "client_url"}, body)
    need(all(link["href"].startswith("http") and link["text"] for link in body["links"]), body)
    payload = body["payload"]
    need(set(payload) <= {"summary", "source", "severity", "timestamp", "component", "group", "class",
                          "custom_details"}, payload)
    need(0 < len(payload["summary"]) <= 1024 and payload["source"], payload)
    need(payload["severity"] in ("critical", "error", "warning", "info"), payload)
    need(is_time(payload["timestamp"]) and isinstance(payload["custom_details"], dict), payload)
    return body


def webhook(request, moment=None):
    """Standard Webhooks 1.0.0."""
    identifier, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    need(identifier and "." not in identifier, identifier)
    need(abs(int(stamp) - (moment or time.time())) < 300, stamp)
    key = base64.b64decode(WEBHOOK_KEY.removeprefix("whsec_"))
    need(24 <= len(key) <= 64, "key")
    expected = base64.b64encode(hmac.new(key, f"{identifier}.{stamp}.".encode() + request.body,
                                         hashlib.sha256).digest()).decode()
    signatures = request.headers["webhook-signature"].split(" ")
    need(any(hmac.compare_digest(each, f"v1,{expected}") for each in signatures), "signature")
    body = document(request, 4 << 20)
    need(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", body["type"]) and is_time(body["timestamp"]), body)
    need(isinstance(body["data"], dict), body)
    return body


def splunk(request):
    need(request.headers["Authorization"] == SPLUNK_TOKEN, "Authorization")
    body = document(request, 1 << 20)
    need(set(body) <= {"time", "host", "source", "sourcetype", "index", "fields", "event"}, body)
    need(body["event"], "event")
    return body


def shape(service, operation, parameters):
    """Against AWS's own model of the API."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    report = botocore.validate.ParamValidator().validate(parameters, model)
    need(not report.has_errors(), report.generate_report())


def signed(request):
    need(request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 "), "unsigned")


def sns(request):
    signed(request)
    form = {name: values[0] for name, values in urllib.parse.parse_qs(request.body.decode()).items()}
    need((form.pop("Action"), form.pop("Version")) == ("Publish", "2010-03-31"), form)
    shape("sns", "Publish", form)
    need(len(form["Subject"]) < 100 and re.fullmatch(r"[!-~][ -~]*", form["Subject"]), form["Subject"])
    need(len(form["Message"].encode()) <= 256 * 1024, "Message")
    return json.loads(form["Message"])


def securityhub(request):
    signed(request)
    need(request.path == "/findings/import", request.path)
    body = document(request, 6 << 20)
    shape("securityhub", "BatchImportFindings", body)
    need(1 <= len(body["Findings"]) <= 100, "findings")
    for finding in body["Findings"]:
        for member in ("AwsAccountId", "CreatedAt", "Description", "GeneratorId", "Id", "ProductArn", "Resources",
                       "SchemaVersion", "Severity", "Title", "Types", "UpdatedAt"):
            need(finding.get(member), member)
        account = finding["AwsAccountId"]
        need(finding["SchemaVersion"] == "2018-10-08" and len(finding["Id"]) <= 512, finding)
        need(len(finding["Title"]) <= 256 and len(finding["Description"]) <= 1024, finding)
        need(re.fullmatch(rf"arn:aws[a-z-]*:securityhub:[a-z0-9-]+:{account}:product/{account}/default",
                          finding["ProductArn"]), finding["ProductArn"])
        need(is_time(finding["CreatedAt"]) and is_time(finding["UpdatedAt"]), finding)
        need(finding["Severity"]["Label"] in ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"), finding)
        need(all(each.split("/")[0] in ("Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors",
                                        "Sensitive Data Identifications") for each in finding["Types"]), finding)
        need(finding["Workflow"]["Status"] in ("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"), finding)
        need(finding["RecordState"] in ("ACTIVE", "ARCHIVED"), finding)
        need(all(each["Type"] and each["Id"] for each in finding["Resources"]), finding)
        need(len(finding["ProductFields"]) <= 50, finding)
    return body["Findings"][0]


def ocsf(finding):
    """A Detection Finding, class 2004 of OCSF 1.3.0, with the profile cloud."""
    for member in ("activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time",
                   "type_uid", "cloud"):
        need(member in finding, member)
    for member in ("activity_id", "category_uid", "class_uid", "severity_id", "status_id", "time", "type_uid"):
        need(isinstance(finding[member], int), member)
    need((finding["class_uid"], finding["category_uid"]) == (2004, 2), finding)
    need(finding["type_uid"] == 2004 * 100 + finding["activity_id"], finding)
    need(finding["activity_id"] in (0, 1, 2, 3, 99) and finding["severity_id"] in (0, 1, 2, 3, 4, 5, 6, 99), finding)
    need(finding["status_id"] in (0, 1, 2, 3, 4, 99) and finding["time"] > 1_500_000_000_000, finding)
    need(finding["metadata"]["version"] == "1.3.0" and finding["metadata"]["product"]["vendor_name"], finding)
    need(finding["finding_info"]["uid"] and finding["finding_info"]["title"], finding)
    need(finding["cloud"]["provider"], finding)
    return finding


# By the path of the stand-in that each is sent to.
VENDORS = {"slack": slack, "teams": teams, "pagerduty": pagerduty, "webhook": webhook, "splunk": splunk}
