"""Holds the vectors beside this file against examples/verify.py: prints what they disagree on, and ends with 1 then."""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "examples"))
sys.dont_write_bytecode = True
import verify  # noqa: E402


def commit(vector):
    try:
        verify.read_commit(vector["commit"])
        verify.check_head(vector["commit"])
        return {"valid": True}
    except verify.Finding:
        return {"valid": False}


def command_content(command, auction_id):
    kind = command["type"]
    if kind == "PlaceBid" and command["kind"] == "max":
        return f"max {verify.commitment(auction_id, command['commandId'], command['amount'], command['salt'])}"
    if kind == "PlaceBid":
        return f"plain {command['amount']}"
    if kind == "CancelAuction":
        return f"cancel {verify.sha256(command['reason'])}"
    if kind == "ExtendAuction":
        return f"extend by {command['addedMs']}" if "addedMs" in command else f"extend to {command['closesAt']}"
    return {"BuyNow": "buy-now", "CloseAuction": "close"}[kind]


def mandate(vector):
    auction_id = vector["auctionId"]
    parties = [command.get("bidder") or {**command["by"], "name": ""} for command in vector["commands"]]
    digests = [verify.digest_of(auction_id, c["commandId"], command_content(c, auction_id), p["id"], p["name"])
               for c, p in zip(vector["commands"], parties)]
    text = verify.mandate_text(auction_id, vector["signedAt"], digests)
    signed = verify.is_signed(text, vector["signature"], vector["signer"])
    return {"valid": signed, **({"digests": digests, "text": text} if signed else {})}


def receipts(vector):
    texts = [verify.receipt_text(receipt["command"], receipt["outcome"]) for receipt in vector["receipts"]]
    return {"valid": verify.receipts_signed(vector), "texts": texts}


NAME, ADDRESS = re.compile(r"(?=.*[a-z0-9])[a-z0-9._-]{1,32}"), re.compile(r"[A-Za-z0-9._:\[\]-]{3,262}")
WORD = re.compile("[A-Za-z0-9_-]{43}")


def token(vector):
    like = verify.text_like
    shape = verify.fields(m=like(verify.MESH_ID), n=like(NAME), c=like(WORD), s=like(WORD),
                          a=verify.list_of(like(ADDRESS), 1, 8))
    text = vector["token"].strip()
    try:
        says = json.loads(verify.unbase64url(text[8:]))
    except ValueError:
        says = None
    if not (text.startswith("vendue1.") and len(text) <= 4096 and shape(says)):
        return {"valid": False, "code": "TOKEN_MALFORMED"}
    names = {"m": "meshId", "n": "meshName", "c": "caFingerprint", "a": "addresses", "s": "secret"}
    return {"valid": True, "says": {names[key]: value for key, value in says.items()}}


def file(vector):
    said = verify.verify_file(vector["file"].encode(), receipts=vector.get("receipts", ()))
    return {key: said.get(key) for key in vector if key not in ("what", "file", "receipts")}


def tlog_proof(vector):
    entries = [entry.encode() for entry in vector["entries"]]
    try:
        verify.check_tlog_proof(vector["proof"], entries, lambda origin: vector["key"])
        return {"valid": True}
    except verify.Finding:
        return {"valid": False}


# The example of the specification of signed notes itself.
verify.open_note(
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")

CHECKS = {"commits": commit, "mandates": mandate, "receipts": receipts, "tokens": token, "exports": file,
          "proofs": file, "tlog-proofs": tlog_proof}
checked, apart = 0, 0
for path in sorted(HERE.glob("*.json")):
    for vector in json.loads(path.read_text(encoding="utf-8")):
        found = CHECKS[path.stem](vector)
        checked += 1
        for key, value in found.items():
            if vector.get(key) != value:
                apart += 1
                print(f"{path.name}, {vector['what']}: {key} is {vector.get(key)!r}, not {value!r}")
print(f"{checked} vectors checked, {apart} differences")
sys.exit(1 if apart or not checked else 0)
