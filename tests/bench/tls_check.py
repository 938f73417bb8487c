"""testssl.sh (Debian package testssl.sh) against a server of our own: fails on findings above LOW.

A self-signed certificate, as made at start, is not trusted by anybody: the findings about trust are left out.

usage: python3 tests/bench/tls_check.py [--build build/release]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402

ACCEPTED = {"LOW", "INFO", "OK", "WARN"}
ABOUT_TRUST = ("cert_chain_of_trust", "cert_trust", "cert_crlDistributionPoints", "cert_revocation", "cert_caIssuers",
               "cert_ocspURL", "cert_commonName", "overall_grade", "grade_cap", "final_score", "DNS_CAArecord", "cert_notAfter")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options = parser.parse_args()
    harness.BINARY = str(options.build / "riposte")
    with tempfile.TemporaryDirectory() as folder:
        server = harness.Riposte(folder, settings={"drain": "0s", "listen": {"connections_per_address": 0}}).start()
        found = pathlib.Path(folder) / "found.json"
        try:
            subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--jsonfile", found,
                            f"127.0.0.1:{server.port}"], stdin=subprocess.DEVNULL, check=False)
        finally:
            server.stop()
        findings = json.loads(found.read_text())
    bad = [finding for finding in findings if finding["severity"] not in ACCEPTED and
           not finding["id"].startswith(ABOUT_TRUST)]
    for finding in bad:
        print(f"{finding['severity']}: {finding['id']}: {finding['finding']}")
    print(f"{len(findings)} findings, {len(bad)} above LOW")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
