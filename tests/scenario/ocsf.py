"""What the Open Cybersecurity Schema Framework asks of the classes that the audit export has, version 1.3.0.

Facts of github.com/ocsf/ocsf-schema: events/base_event.json, events/application/api_activity.json,
events/application/application_lifecycle.json, events/iam/entity_management.json, profiles/cloud.json and the objects
that they name: what is "required", each "at_least_one", the values of enums; type_uid is class_uid * 100 + activity_id.
"""
BASE = ("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid")
CLASSES = {
    6003: {"category": 6, "activities": {0, 1, 2, 3, 4, 99}, "required": ("actor", "api", "src_endpoint")},
    6002: {"category": 6, "activities": {0, 1, 2, 3, 4, 99}, "required": ("app",)},
    3004: {"category": 3, "activities": {0, 1, 2, 3, 4, 99}, "required": ("entity",)},
}
OBJECTS = {
    "metadata": {"required": ("product", "version")},
    "product": {"required": ("vendor_name",), "one_of": ("name", "uid")},
    "app": {"required": ("vendor_name",), "one_of": ("name", "uid")},
    "api": {"required": ("operation",)},
    "service": {"one_of": ("name", "uid")},
    "request": {"required": ("uid",)},
    "actor": {"one_of": ("process", "user", "invoked_by", "session", "app_name", "app_uid")},
    "user": {"one_of": ("account", "name", "uid")},
    "src_endpoint": {"one_of": ("ip", "uid", "name", "hostname", "svc_name", "instance_uid")},
    "entity": {"one_of": ("name", "uid")},
    "cloud": {"required": ("provider",)},
}


def object_faults(name, value):
    wanted = OBJECTS.get(name, {})
    faults = [f"{name}.{one} is missing" for one in wanted.get("required", ()) if not value.get(one)]
    if wanted.get("one_of") and not any(value.get(one) for one in wanted["one_of"]):
        faults.append(f"{name} has none of {wanted['one_of']}")
    for key, member in value.items():
        if isinstance(member, dict) and key != "unmapped":
            faults += object_faults(key, member)
    return faults


def faults(event):
    """What is wrong with it, in words; nothing: it is well-formed."""
    found = [f"{name} is missing" for name in BASE if name not in event]
    if found or event["class_uid"] not in CLASSES:
        return found or [f"class {event['class_uid']} is not expected"]
    kind = CLASSES[event["class_uid"]]
    found += [f"{name} is missing" for name in kind["required"] if name not in event]
    if event["category_uid"] != kind["category"] or event["class_uid"] // 1000 != kind["category"]:
        found.append("the category is not the class's")
    if event["activity_id"] not in kind["activities"]:
        found.append(f"activity {event['activity_id']} is not one of the class")
    if event["activity_id"] == 99 and not event.get("activity_name"):
        found.append("an activity that is 99 needs its name")
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        found.append("type_uid is wrong")
    if event.get("status_id") not in (None, 0, 1, 2, 99) or (event.get("status_id") == 99 and not event.get("status")):
        found.append("the status is wrong")
    if event["metadata"].get("version") != "1.3.0":
        found.append("the version is not said")
    if ("cloud" in event) != ("cloud" in event["metadata"].get("profiles", [])):
        found.append("cloud goes with its profile")
    if not isinstance(event["time"], int) or event["severity_id"] not in range(7):
        found.append("time or severity_id is wrong")
    return found + object_faults("", event)
