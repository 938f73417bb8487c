"""An AWS to try riposte against: moto with signatures checked and IAM enforced, in it an attacker with an admin's key
and an instance whose termination protection was just switched off with it.

usage: emulator.py FOLDER              runs until Ctrl-C or SIGTERM; writes FOLDER/environment (for the shell that starts
                                       the server), FOLDER/event.json (what CloudTrail saw) and FOLDER/state.json
       emulator.py FOLDER --attack     the attacker goes on: terminates the instance, deletes the deny, makes a key
"""
import json
import pathlib
import signal
import sys

import botocore.exceptions

import harness


def prepare(moto, folder):
    _, watcher = moto.user("watcher")
    _, responder = moto.user("responder")
    attacker, key = moto.user("attacker")
    instance = moto.instance()
    moto.enforce()
    moto.protect(moto.client("ec2", key), instance, False)
    event = harness.by_user(harness.sample("cli-attribute-value.json"), attacker, key, instance)
    (folder / "event.json").write_text(json.dumps(event, indent=2))
    (folder / "state.json").write_text(json.dumps(
        {"port": moto.port, "attacker": key, "watcher": watcher, "instance": instance},
        default=str))
    (folder / "environment").write_text(
        f"export RIPOSTE_AWS_ENDPOINT={moto.url}\n"
        f"export AWS_ACCESS_KEY_ID={responder['AccessKeyId']}\n"
        f"export AWS_SECRET_ACCESS_KEY={responder['SecretAccessKey']}\n"
        f"export AWS_REGION={harness.REGION}\n")


def run(folder):
    folder.mkdir(parents=True, exist_ok=True)
    moto = harness.Moto()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # for sigwait
    try:
        prepare(moto, folder)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        moto.stop()


def attempt(what, call, **parameters):
    try:
        call(**parameters)
        print(f"{what}: done")
    except botocore.exceptions.ClientError as error:
        print(f"{what}: {error.response['Error']['Code']}")


def attack(folder):
    state = json.loads((folder / "state.json").read_text())
    moto = harness.Moto.__new__(harness.Moto)
    moto.port, moto.url, moto.watcher = state["port"], f"http://127.0.0.1:{state['port']}", \
        state["watcher"]
    ec2, iam = (moto.client(service, state["attacker"]) for service in ("ec2", "iam"))
    attempt("TerminateInstances", ec2.terminate_instances, InstanceIds=[state["instance"]])
    attempt("DeleteUserPolicy", iam.delete_user_policy, UserName="attacker",
            PolicyName="riposte-contained")
    attempt("CreateAccessKey", iam.create_access_key, UserName="attacker")
    print(f"the instance is {'protected' if moto.is_protected(state['instance']) else 'open'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    (attack if "--attack" in sys.argv else run)(pathlib.Path(sys.argv[1]))
