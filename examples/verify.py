#!/usr/bin/env python3
"""A second verifier: checks exports of Vendue's auctions with nothing of Vendue, written from docs/protocol.md.

    python3 verify.py [--json] [--all] [--receipts FILE] [--tlog-proof FILE [--key KEY]] FILE...

It covers all that `vendue verify` does: check sums, hashes, the chain, ids, keys and signatures, every rule of every
event, who asked for it (mandates), openings of commitments, all prices decided again, receipts, and proofs that a home
has signed two histories, or its cluster has. Receipts are a list of `{home, signedAt, signature, receipts}`. A
tlog-proof (c2sp.org/tlog-proof) is held against the export, by the key of a home of the auction or by the verifier key
given. Each verdict is one line: valid, unproven, or what is wrong, by the same codes. Exit code 0: all are valid; 1:
one is not; 5: one is unproven. It needs Python 3.9 and the package `cryptography`.
"""
import base64
import hashlib
import json
import math
import re
import sys
import zlib
from types import SimpleNamespace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Finding(Exception):
    """What is wrong: a code, and the rule that is broken."""

    def __init__(self, code, rule):
        super().__init__(f"{code}: {rule}")
        self.code, self.rule = code, rule


def need(holds, code, rule):
    if not holds:
        raise Finding(code, rule)


# Hashes, ids, keys and signatures

def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def base32(data, length=26):
    bits = int.from_bytes(data, "big") >> (8 * len(data) - 5 * length)
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[bits >> 5 * i & 31] for i in reversed(range(length)))


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def node_id(public_key):
    return "node_" + base32(hashlib.sha256(unbase64url(public_key)).digest())


HEX64, SALT = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}")
ID, MESH_ID = re.compile("[A-Za-z0-9_.:-]{1,96}"), re.compile("mesh_[0-9a-hjkmnp-tv-z]{26}")
# The bits that base64url leaves over are zero.
BYTES32, SIGNATURE = re.compile("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"), re.compile("[A-Za-z0-9_-]{85}[AQgw]")
P = 2**255 - 19
Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7


def is_signed(text, signature, public_key):
    """Ed25519, by a key of a point of full order in its own spelling."""
    if not (BYTES32.fullmatch(public_key) and SIGNATURE.fullmatch(signature)):
        return False
    key = unbase64url(public_key)
    y = int.from_bytes(key, "little") & (1 << 255) - 1
    if y >= P or y in (0, 1, P - 1, Y8, P - Y8):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(unbase64url(signature), text.encode())
        return True
    except (InvalidSignature, ValueError):
        return False


def commitment(scope, id_, amount, salt):
    return sha256(f"vendue-commitment-v1\n{scope}\n{id_}\n{amount}\n{salt}\n")


# JSON that every reader reads alike, and the shapes of what it holds

def exact(text):
    text.encode()  # A half of a surrogate pair is a ValueError.
    if re.search(r"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]", text):
        raise ValueError("holds an escaped surrogate")
    around = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    if not re.fullmatch(r"(?:[][{},:0-9]|true|false|null)*", around):
        raise ValueError("has white space, or a number that is not written in digits alone")

    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("has a key twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except RecursionError as error:
        raise ValueError("nests too deep") from error


SAFE, MAX_TIME, MAX_SEQ, YEARS10 = 2**53 - 1, 253_402_300_799_999, 10**9, 10 * 366 * 86_400_000


def number(low, high=SAFE):
    return lambda value: type(value) is int and low <= value <= high


def is_text(value):
    return isinstance(value, str)


def text_like(pattern):
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def one_of(*values):
    return lambda value: any(value is other or (isinstance(value, str) and value == other) for other in values)


def null_or(shape):
    return lambda value: value is None or shape(value)


def list_of(shape, low, high):
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(shape, value))


def fields(optional=None, /, **shapes):
    known = {**shapes, **(optional or {})}
    return lambda value: (isinstance(value, dict) and shapes.keys() <= value.keys() <= known.keys()
                          and all(known[key](inner) for key, inner in value.items()))


def units(text):
    """Its length in UTF-16, in which limits are counted."""
    return len(text.encode("utf-16-le")) // 2


INVISIBLE = [(0, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x1680, 0x1680),
             (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F),
             (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
             (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)]
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
CONTROL_IN_PROSE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def line(limit):
    return lambda value: is_text(value) and units(value) <= limit and not CONTROL.search(value)


def named(limit):
    def seen(character):
        return not any(low <= ord(character) <= high for low, high in INVISIBLE)
    return lambda value: line(limit)(value) and any(map(seen, value))


is_id, is_time, is_amount, is_bool = text_like(ID), number(0, MAX_TIME), number(1), one_of(True, False)
is_hash, is_signature, is_key, is_name = text_like(HEX64), text_like(SIGNATURE), text_like(BYTES32), named(64)
is_party, is_home = fields(id=is_id, name=is_name), fields(nodeId=is_id, publicKey=is_key)
OPENING = {"amount": is_amount, "salt": text_like(SALT)}
is_picture = fields(hash=is_hash, bytes=is_amount, width=is_amount, height=is_amount, alt=is_text,
                    type=one_of("image/jpeg", "image/png", "image/webp"))
is_terms = fields(
    title=is_text, description=is_text, startPrice=is_amount, reserveCommitment=null_or(is_hash),
    currency=fields(code=is_text, exponent=number(0, 9)), buyNow=null_or(is_amount),
    increments=list_of(fields(**{"from": number(0)}, step=is_amount), 1, 32),
    opensAt=null_or(is_time), closesAt=null_or(is_time),
    softClose=null_or(fields(windowMs=number(0), extensionMs=number(0), hardStopAt=null_or(is_time))),
    bidderNames=one_of("public", "pseudonyms"), givesTimeBack=is_bool, pictures=list_of(is_picture, 0, 12))
is_result = (fields(sold=one_of(True), winner=is_party, bidId=is_id, price=is_amount),
             fields(sold=one_of(False), reason=one_of("no-bids", "reserve-not-met")))
EVENTS = {
    "AuctionOpened": fields(commandId=is_id, meshId=text_like(MESH_ID), seller=is_party, home=is_home,
                            cluster=null_or(is_key), terms=is_terms),
    "AuctionStarted": fields(),
    "MaxBidChanged": fields(bidId=is_id, bidder=is_party, commitment=is_hash, price=is_amount, reserveMet=is_bool),
    "LotBoughtNow": fields(bidId=is_id, bidder=is_party, price=is_amount),
    "AuctionExtended": fields({"addedMs": number(1, MAX_TIME)}, closesAt=is_time, since=null_or(is_time),
                              by=one_of("soft-close", "seller", "outage", "takeover"), commandId=null_or(is_id)),
    "AuctionClosed": fields(by=one_of("seller", "end-time", "buy-now"), commandId=null_or(is_id),
                            result=lambda value: any(shape(value) for shape in is_result),
                            reserve=null_or(fields(**OPENING))),
    "MaximaRevealed": fields(maxima=list_of(fields(bidId=is_id, **OPENING), 1, 1000)),
    "AuctionCancelled": fields(commandId=is_id, reason=line(500)),
    "AuctionGivenUp": fields(reason=line(500)),
    "MaximaLost": fields(since=number(1)),
    "AuctionHandedOver": fields(to=is_home, cluster=null_or(is_key), consent=is_signature),
    "AuctionTakenOver": fields(**{"from": is_home}, to=is_home, why=one_of("home-dead", "home-left"),
                               since=is_time, clusterSignature=is_signature,
                               keys=list_of(fields(publicKey=is_key, signature=is_signature), 0, 64)),
}
BIDS = ("BidPlaced", "MaxBidChanged", "LotBoughtNow")


# Files: lines with check sums; of each commit the text that was hashed

def read_line(raw):
    need(19 <= len(raw) <= 2 * 2**20 + 4096, "FILE", "the line is too long or too short")
    need(raw[-18:] == b',"sum":"%08x"}' % zlib.crc32(raw[:-18]), "FILE", "the check sum is not that of the line")
    try:
        text = raw[:-18].decode() + "}"
        start, end = text.find(',"body":"'), text.rfind('","hash":"')
        if start == -1 or end < start:
            return exact(text)
        # The text of a body is looked at by itself: here it is any one JSON text.
        content, body = exact(text[:start] + text[end + 1:]), json.loads(text[start + 8:end + 1])
        if "body" in content:
            raise ValueError("has a key twice")
        return {**content, "body": body}
    except ValueError as error:
        raise Finding("FILE", f"the line {error}") from error


def read_lines(data):
    *whole, rest = data.split(b"\n")
    yield from map(read_line, whole)
    need(rest == b"", "FILE", "the last line is not complete")


is_int = number(-SAFE)
is_commit_line = fields(auctionId=is_text, firstSeq=is_int, lastSeq=is_int, body=is_text, hash=is_text, signer=is_text,
                        signature=is_text)


def read_export(data):
    lines = read_lines(data)
    header = next(lines, None)
    is_header = fields(format=one_of("vendue-export"), version=number(4, 4), auctionId=is_text)
    need(header is not None and is_header(header), "FILE", "this is not an export of a version that is known here")
    commits, last, ended = 0, None, False
    for content in lines:
        need(not ended, "FILE", "nothing follows the trailer")
        if "end" in content:
            need(last is not None, "FILE", "an export holds at least one commit")
            head = {"seq": last["lastSeq"], "hash": last["hash"]}
            expected = {"end": "vendue-export", "commits": commits, "events": last["lastSeq"], "head": head}
            same = json.dumps(content, sort_keys=True) == json.dumps(expected, sort_keys=True)
            need(same, "FILE", "the trailer does not fit the commits")
            ended = True
        else:
            need(is_commit_line(content), "FILE", "the commit is malformed")
            need(content["auctionId"] == header["auctionId"], "FILE", "the commit belongs to another auction")
            commits, last = commits + 1, content
            yield content
    need(ended, "FILE", "the file ends before its trailer")


def is_place(count):
    return number(0, count - 1)


def read_commit(commit):
    """Its events and mandates, once hash, id, numbers and shape hold."""
    try:
        need(len(commit["body"].encode()) <= 2**20, "COMMIT", "the body is too large")
        need(sha256(commit["body"]) == commit["hash"], "COMMIT", "the hash is not the body's")
        body = exact(commit["body"])
    except ValueError as error:
        raise Finding("COMMIT", f"the body {error}") from error
    party = lambda value: isinstance(value, list) and len(value) == 2 and is_id(value[0]) and is_name(value[1])
    outline = fields(auctionId=null_or(is_id), firstSeq=number(1, MAX_SEQ), prevHash=null_or(is_hash),
                     parties=list_of(party, 0, 4096), events=list_of(lambda _: True, 1, 4096),
                     mandates=list_of(lambda _: True, 0, 4096))
    need(outline(body), "COMMIT", "the body is malformed")
    first, count = body["firstSeq"], len(body["events"])
    events = [read_event(event, body["parties"]) for event in body["events"]]
    shapes = is_key, is_time, list_of(lambda c: is_key(c) or is_place(count)(c), 1, 1000), is_signature
    for mandate in body["mandates"]:
        whole = isinstance(mandate, list) and len(mandate) == 4 and all(s(v) for s, v in zip(shapes, mandate))
        need(whole, "COMMIT", "a mandate is malformed")
    need((first == 1) == (body["auctionId"] is None) == (body["prevHash"] is None), "COMMIT",
         "exactly the opening commit has no auction id and no previous hash")
    auction_id = body["auctionId"] or "auc_" + base32(bytes.fromhex(commit["hash"]))
    need(auction_id == commit["auctionId"], "COMMIT", "it belongs to another auction")
    need((first, first + count - 1) == (commit["firstSeq"], commit["lastSeq"]) and commit["lastSeq"] <= MAX_SEQ,
         "COMMIT", "its numbers are not the body's")
    return SimpleNamespace(prev=body["prevHash"], events=events, mandates=body["mandates"])


def read_event(event, parties):
    if isinstance(event, list):
        shapes = (is_time, is_id, is_place(len(parties)), lambda v: is_hash(v) or is_amount(v), is_amount, is_bool,
                  is_bool)
        need(len(event) == 7 and all(s(v) for s, v in zip(shapes, event)), "COMMIT", "a bid is malformed")
        at, bid_id, place, offer, price, leads, met = event
        sealed = isinstance(offer, str)
        return {"type": "BidPlaced", "at": at, "bidId": bid_id, "bidder": dict(zip(("id", "name"), parties[place])),
                "amount": None if sealed else offer, "commitment": offer if sealed else None, "price": price,
                "leads": leads, "reserveMet": met}
    shape = EVENTS.get(event.get("type")) if isinstance(event, dict) and is_text(event.get("type")) else None
    need(shape is not None and is_time(event.get("at")), "COMMIT", "an event is malformed")
    rest = {key: value for key, value in event.items() if key not in ("type", "at")}
    need(shape(rest), "COMMIT", f"{event['type']} is malformed")
    return event


# The rules of an auction

def step(terms, price):
    return [band["step"] for band in terms["increments"] if price >= band["from"]][-1]


def minimum(terms, price, met):
    """The least that the next bidder has to offer; None where nobody can bid."""
    if price is not None and price >= SAFE:
        return None
    least = terms["startPrice"] if price is None else min(price + step(terms, price), SAFE)
    return None if buy_now_offered(terms, price, met) and least >= terms["buyNow"] else least


def buy_now_offered(terms, price, met):
    if terms["buyNow"] is None:
        return False
    return price is None if terms["reserveCommitment"] is None else not met


def soft_close_end(s, now):
    rule = s.terms["softClose"]
    if rule is None or s.closes_at is None or s.closes_at - now > rule["windowMs"]:
        return None
    end = min(now + rule["extensionMs"], rule["hardStopAt"] or math.inf)
    return end if end > s.closes_at else None


def end_after_outage(s, since, now):
    if not s.terms["givesTimeBack"] or since >= s.closes_at or s.closes_at > now:
        return None
    start = s.terms["opensAt"] or s.opened_at
    given = max(s.closes_at - max(since, start), min(60_000, s.closes_at - start))
    end = min(now + given, hard_stop(s))
    return end if end > now else None


def end_after_takeover(s, since, now):
    if s.closes_at is None or now < (s.terms["opensAt"] or 0):
        return None
    window = (s.terms["softClose"] or {"windowMs": 60_000})["windowMs"]
    end = min(max(now + window, end_after_outage(s, since, now) or 0), hard_stop(s))
    return end if end > max(s.closes_at, now) else None


def hard_stop(s):
    return (s.terms["softClose"] or {}).get("hardStopAt") or math.inf


def is_node(party):
    return party["id"].startswith("node_")


def check_terms(terms, at, must):
    bands, soft, closes = terms["increments"], terms["softClose"], terms["closesAt"]
    hashes = [picture["hash"] for picture in terms["pictures"]]
    stop = soft and soft["hardStopAt"]
    must(named(200)(terms["title"]), "a title is one line of 1 to 200 characters")
    prose = terms["description"]
    must(units(prose) <= 10_000 and not CONTROL_IN_PROSE.search(prose), "a description has 10,000 characters at most")
    must(re.fullmatch("[A-Z][A-Z0-9]{2,9}", terms["currency"]["code"]), "this is no code of a currency")
    day = number(1, 86_400_000)
    must(soft is None or (day(soft["windowMs"]) and day(soft["extensionMs"])), "a soft close has 1 ms to 24 h")
    must(terms["buyNow"] is None or terms["buyNow"] >= terms["startPrice"], "buyNow is below the start price")
    must(bands[0]["from"] == 0 and all(a["from"] < b["from"] for a, b in zip(bands, bands[1:])), "bands must ascend")
    must(None in (terms["opensAt"], closes) or closes > terms["opensAt"], "closesAt must be after opensAt")
    must(soft is None or closes is not None, "a soft close needs an end time")
    must(stop is None or stop >= closes, "the hard stop is before the end")
    for picture in terms["pictures"]:
        width, height = picture["width"], picture["height"]
        must(picture["bytes"] <= 4 * 2**20 and max(width, height) <= 8192 and width * height <= 25_000_000,
             "a picture is too large")
        must(line(300)(picture["alt"]), "an alt text is one line")
    must(len(set(hashes)) == len(hashes), "a picture is there twice")
    for time in (terms["opensAt"], closes, stop):
        must(time is None or at < time <= at + YEARS10, "times lie ahead, within 10 years")


def evolve(s, event):
    """One event more; refuses each that is not legal by what is public."""
    kind, at = event["type"], event["at"]

    def must(holds, rule):
        need(holds, "EVENT", f"event {s.seq + 1} ({kind}): {rule}")

    must((kind == "AuctionOpened") == (s.status == "unopened"), "an auction opens once, and first")
    if kind == "AuctionOpened":
        home, seller, terms = event["home"], event["seller"], event["terms"]
        check_terms(terms, at, must)
        must(at > 0 and (not is_node(seller) or seller["id"] == home["nodeId"]), "a node that sells is the home")
        s.__dict__.update(
            status="open" if terms["opensAt"] is None else "scheduled", terms=terms, seller=seller, home=home,
            cluster=cluster_after(None, event["cluster"], 1), opened_by=home["nodeId"],
            kept_by_cluster=event["cluster"] is not None, opened_at=at,
            open_id=event["commandId"], closes_at=terms["closesAt"], met=terms["reserveCommitment"] is None)
    else:
        must(at >= s.at, "time does not run backwards")
        if kind == "AuctionTakenOver":
            taken_over(s, event, must)
        elif kind == "MaximaRevealed":
            must(s.status == "closed", "maxima are revealed after the close")
            s.revealed += len(event["maxima"])
            must(s.revealed <= s.bid_count, "no more maxima are revealed than bids were placed")
        else:
            must(s.status in ("scheduled", "open"), "nothing else happens once it is over")
            must(s.owed is None or (event.get("by") == s.owed[0] and at == s.at), "what is owed follows at once")
            owed, s.owed = s.owed, None
            RULES[kind](s, event, must, owed)
    s.seq, s.at = s.seq + 1, at


def started(s, event, must, _):
    must(s.status == "scheduled" and event["at"] >= (s.terms["opensAt"] or 0), "it starts once, at its time")
    s.status = "open"


def bid_placed(s, event, must, _):
    price, amount, leads, met = event["price"], event["amount"], event["leads"], event["reserveMet"]
    first, least, bidder = s.price is None, minimum(s.terms, s.price, s.met), event["bidder"]["id"]
    biddable(s, event, must)
    must(bidder != s.seller["id"] and not (s.leader and s.leader["id"] == bidder), "neither seller nor leader bid")
    must(least is not None, "nobody bids where the lot can be bought for no more")
    must(price > (s.price or 0), "a bid raises the price")
    must(leads or not first, "the first bid leads")
    must(met or not s.met, "a reserve stays met")
    must(leads or met == s.met, "only a bid that leads meets the reserve")
    if amount is not None:
        must(amount >= least, "a bid reaches the minimum")
        must(not buy_now_offered(s.terms, s.price, s.met) or amount < s.terms["buyNow"], "it reaches the buy-now price")
        if leads:
            must(price == amount, "a plain bid that leads is the price")
        else:
            must(amount <= price <= amount + step(s.terms, amount), "the leader answers by one increment at most")
    elif first:
        must(price == s.terms["startPrice"] or (met and not s.met), "bidding starts at the start price")
        must(price >= s.terms["startPrice"], "the price is at least the start price")
    else:
        must(leads or price >= least, "an answered bid reaches the minimum")
    owe(s, "soft-close", soft_close_end(s, event["at"]))
    s.price, s.met, s.bid_count = price, met, s.bid_count + 1
    if leads:
        s.leader, s.leading_id = event["bidder"], event["bidId"]


def owe(s, by, end):
    """What has to follow at once: by which reason, and with which end."""
    s.owed = None if end is None else (by, end)


def biddable(s, event, must):
    must(s.status == "open" and (s.closes_at is None or event["at"] < s.closes_at), "bids need an open auction")


def max_bid_changed(s, event, must, _):
    biddable(s, event, must)
    must(s.leader is not None and s.leader["id"] == event["bidder"]["id"], "only the leader changes that maximum")
    must(event["reserveMet"] or not s.met, "a reserve stays met")
    lifted = event["reserveMet"] and not s.met
    must(event["price"] > s.price if lifted else event["price"] == s.price, "the price moves only up to the reserve")
    if lifted:
        owe(s, "soft-close", soft_close_end(s, event["at"]))
    s.price, s.met, s.bid_count = event["price"], event["reserveMet"], s.bid_count + 1
    s.leader, s.leading_id = event["bidder"], event["bidId"]


def bought_now(s, event, must, _):
    biddable(s, event, must)
    must(event["bidder"]["id"] != s.seller["id"], "sellers do not buy their own lot")
    offered = buy_now_offered(s.terms, s.price, s.met)
    must(offered and event["price"] == s.terms["buyNow"], "buy-now is on offer at this price")
    s.price, s.met, s.bid_count, s.owed = event["price"], True, s.bid_count + 1, ("buy-now", None)
    s.leader, s.leading_id = event["bidder"], event["bidId"]


def extended(s, event, must, owed):
    at, end, by, added = event["at"], event["closesAt"], event["by"], event.get("addedMs")
    must(s.closes_at is not None and end > s.closes_at, "an extension is later than the end")
    must(end <= hard_stop(s), "no extension passes the hard stop")
    must((by == "outage") == (event["since"] is not None), "an outage has a beginning, and nothing else does")
    must((by == "seller") == (event["commandId"] is not None), "what the seller does has a command")
    must(by == "seller" or added is None, "only the seller asks for so much more time")
    if by == "outage":
        must(owed is None and event["since"] >= s.at, "no outage begins before the last event")
        must(end == end_after_outage(s, event["since"], at), "an end moves by what was left of it")
    elif by == "seller":
        must(at < s.closes_at, "an auction that ended is not extended")
        must(added is None or end == s.closes_at + added, "an extension by so much moves the end by as much")
        must(end - at <= YEARS10, "an end is within 10 years")
    else:
        must(owed == (by, end), "a late bid or takeover extends the end, by as much as it calls for")
    s.closes_at = end


def closed(s, event, must, owed):
    over, bought = s.closes_at is not None and event["at"] >= s.closes_at, owed == ("buy-now", None)
    by, reserve, result = event["by"], event["reserve"], event["result"]
    must(bought == (by == "buy-now") and (bought or over == (by == "end-time")), "it ends by a reason that holds")
    must((by == "seller") == (event["commandId"] is not None), "what the seller does has a command")
    if s.leader is None or not s.met:
        expected = {"sold": False, "reason": "no-bids" if s.leader is None else "reserve-not-met"}
    else:
        expected = {"sold": True, "winner": s.leader, "bidId": s.leading_id, "price": s.price}
    must(result == expected, "the result follows from the bids")
    must((reserve is None) == (s.terms["reserveCommitment"] is None), "the close reveals the reserve")
    if reserve is not None:
        amount = reserve["amount"]
        must(s.terms["startPrice"] <= amount <= (s.terms["buyNow"] or SAFE), "the reserve keeps to the terms")
        must((s.price is not None and s.price >= amount) == s.met, "the reserve was met as stated")
    s.status, s.result, s.reserve = "closed", result, reserve


def cancelled(s, event, must, _):
    must(event["type"] == "AuctionGivenUp" or s.bid_count == 0, "an auction with bids cannot be cancelled")
    s.status = "cancelled"


def maxima_lost(s, event, must, _):
    must(event["since"] <= s.seq, "maxima are lost of events that lie before")
    s.losses.append((s.seq + 1, event["since"]))


def handed_over(s, event, must, _):
    must(event["to"]["nodeId"] != s.home["nodeId"], "an auction is handed over to another node")
    s.moves = [*s.moves, s.seq + 1]
    must(len(s.moves) <= 100, "an auction is handed over 100 times at most")
    s.kept_by_cluster = s.kept_by_cluster and event["cluster"] == s.cluster[0]
    s.home, s.cluster = event["to"], cluster_after(s.cluster, event["cluster"], s.seq + 1)


def cluster_after(before, key, seq):
    """Its key, and the event that says so."""
    return before if before and key == before[0] else key and (key, seq)


def taken_over(s, event, must):
    at, since, seq = event["at"], event["since"], s.seq + 1
    must(s.cluster is not None, "only an auction of a cluster is taken over")
    must(s.owed is None, "what the last event calls for comes first")
    must(event["from"] == s.home and event["to"]["nodeId"] != s.home["nodeId"], "another node takes it from its home")
    must(s.at <= since <= at, "the home before was there at the last event")
    if s.status in ("scheduled", "open"):
        owe(s, "takeover", end_after_takeover(s, since, at))
    s.moves = [move for move in s.moves if move <= s.cluster[1]] + [seq]
    must(len(s.moves) <= 100, "100 events at most show who is the home")
    s.home, s.cluster = event["to"], cluster_after(s.cluster, newest_key(s.cluster[0], event), seq)


def newest_key(key, event):
    return event["keys"][-1]["publicKey"] if event["keys"] else key


RULES = {"AuctionStarted": started, "BidPlaced": bid_placed, "MaxBidChanged": max_bid_changed,
         "LotBoughtNow": bought_now, "AuctionExtended": extended, "AuctionClosed": closed,
         "AuctionCancelled": cancelled, "AuctionGivenUp": cancelled, "MaximaLost": maxima_lost,
         "AuctionHandedOver": handed_over}


# Who asked for it

def command_id(event):
    if event["type"] in BIDS:
        return event["bidId"]
    return event["commandId"] if event["type"] in ("AuctionExtended", "AuctionClosed", "AuctionCancelled") else None


def content_of(event):
    kind = event["type"]
    if kind in ("BidPlaced", "MaxBidChanged"):
        amount = event.get("amount")
        return f"max {event['commitment']}" if amount is None else f"plain {amount}"
    if kind == "AuctionExtended":
        return f"extend by {event['addedMs']}" if "addedMs" in event else f"extend to {event['closesAt']}"
    if kind == "AuctionCancelled":
        return f"cancel {sha256(event['reason'])}"
    return {"LotBoughtNow": "buy-now", "AuctionClosed": "close"}[kind]


def digest_of(auction_id, id_, content, party_id, name):
    text = f"vendue-mandate-v1\n{auction_id}\n{id_}\n{content}\n{party_id}\n{name}\n"
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def mandate_text(auction_id, signed_at, digests):
    listed = sha256("".join(f"{digest}\n" for digest in digests))
    return f"vendue/mandate/v1/{auction_id}\n{signed_at}\n{len(digests)}\n{listed}\n"


def may_sign(s, signer, event, home):
    party = event.get("bidder", s.seller)
    if is_node(party):
        return node_id(signer) == party["id"]
    return "bidder" in event or node_id(signer) == s.opened_by or (s.kept_by_cluster and signer == home)


def check_mandates(s, commit, body):
    covered = [None] * len(body.events)
    for signer, signed_at, commands, _ in body.mandates:
        for place in commands:
            if isinstance(place, str):
                continue
            event = body.events[place]
            need(covered[place] is None, "MANDATE", "this stands in two mandates, or twice in one")
            covered[place] = command_id(event) is not None and may_sign(s, signer, event, commit["signer"])
            in_time = abs(event["at"] - signed_at) <= 600_000
            need(in_time or not covered[place], "MANDATE", "a mandate holds for 10 minutes")
    for event, is_covered in zip(body.events, covered):
        own = command_id(event) is None or may_sign(s, commit["signer"], event, commit["signer"])
        need(is_covered or own, "MANDATE", "nobody who may speak for the bidder, or the seller, has signed this")
    for signer, signed_at, commands, signature in body.mandates:
        digests = []
        for command in commands:
            if not isinstance(command, str):
                event = body.events[command]
                need(command_id(event) is not None, "MANDATE", "nobody asks for such an event")
                party = event.get("bidder", {"id": s.seller["id"], "name": ""})
                command = digest_of(commit["auctionId"], command_id(event), content_of(event), party["id"],
                                    party["name"])
            digests.append(command)
        text = mandate_text(commit["auctionId"], signed_at, digests)
        need(is_signed(text, signature, signer), "MANDATE", "the signature of a mandate is not its signer's")


# Prices, decided again from the amounts that are known

class UnsoundPrice(Exception):
    pass


def sound(holds, rule):
    if not holds:
        raise UnsoundPrice(rule)


UNKNOWN = object()


def lifted(price, leader_max, reserve):
    if reserve is None:
        return price, True
    return (max(price, reserve["amount"]), True) if leader_max >= reserve["amount"] else (price, False)


def decide_again(s, amounts, reserve):
    """`amounts`: of each bid; None: not known. `reserve`: UNKNOWN before the close."""
    terms, price, met, held = s.terms, None, s.terms["reserveCommitment"] is None, None
    leader, losses = None, list(s.losses)
    for bid, amount in zip(s.bids, amounts):
        while losses and losses[0][0] < bid["seq"]:
            since = losses.pop(0)[1]
            if leader is not None and leader["commitment"] and leader["seq"] >= since:
                held = price
        if bid["leads"]:
            leader = bid
        if bid["type"] == "LotBoughtNow":
            sound(buy_now_offered(terms, price, met) and bid["price"] == terms["buyNow"], "buy-now was on offer")
            held = bid["price"]
        elif bid["type"] == "MaxBidChanged":
            held = UNKNOWN if amount is None else amount
            if amount is not None:
                sound(amount >= (price or 0), "a maximum is not moved below the price")
                if reserve is UNKNOWN:
                    sound(bid["price"] <= amount, "the price is not above the leader's maximum")
                else:
                    found = lifted(price or 0, amount, reserve)
                    sound(found == (bid["price"], bid["reserveMet"]), "by the maxima, the price is another")
        else:
            held = offer_again(terms, price, met, held, bid, amount, reserve)
        price, met = bid["price"], bid["reserveMet"]


def offer_again(terms, price, met, held, bid, amount, reserve):
    """Holds a bid against the rules of pricing; returns the leader's maximum after it."""
    least = minimum(terms, price, met)
    sound(least is not None, "nobody bids where the lot can be bought for no more")
    if amount is not None:
        sound(amount >= least, "an accepted offer reaches the minimum of its time")
        if bid["commitment"] is None and buy_now_offered(terms, price, met):
            sound(amount < terms["buyNow"], "an offer that reaches the buy-now price is no bid")
    after = (UNKNOWN if amount is None else amount) if bid["leads"] else held
    if amount is None or held is UNKNOWN or reserve is UNKNOWN:
        known = None if held is UNKNOWN else held
        leading, beaten = (amount, known) if bid["leads"] else (known, amount)
        sound(leading is None or leading >= bid["price"], "the price is not above the leader's maximum")
        if beaten is not None:
            sound(beaten < bid["price"] + (not bid["leads"]), "the price is not below the maximum that does not lead")
        if not bid["leads"] and amount is not None:
            sound(bid["price"] <= amount + step(terms, amount), "the leader answers by one increment at most")
        return after
    leads = held is None or amount > held
    leader_max = amount if leads else held
    if leads and (bid["commitment"] is None or held is None):
        at = amount if bid["commitment"] is None else terms["startPrice"]
    else:
        runner_up = held if leads else amount
        at = min(leader_max, runner_up + step(terms, runner_up))
    found = (leads, *lifted(at, leader_max, reserve))
    sound(found == (bid["leads"], bid["price"], bid["reserveMet"]), f"by the maxima, leads, price and reserve: {found}")
    return after


def amounts_of(s, winner_id):
    """Maxima of the winner's that were never opened count as higher than every price."""
    return [math.inf if bid["amount"] is None and bid["bidder"]["id"] == winner_id else bid["amount"]
            for bid in s.bids]


def rerun(s):
    """Decides all prices again. Whether some maxima are still to be opened, and whose are shut for good."""
    winner = s.result["winner"]["id"] if s.result["sold"] else None
    for secret_of in (winner, None) if winner else (None,):
        amounts = amounts_of(s, secret_of)
        try:
            decide_again(s, amounts, s.reserve)
            return None in amounts or (bool(s.losses) and s.sealed > 0), secret_of
        except UnsoundPrice as error:
            if secret_of is None:
                raise Finding("PRICE", str(error)) from error
    raise AssertionError


# Receipts: what a home has answered, signed

def fingerprint(command):
    kind, auction = command["type"], command["auctionId"]
    if kind == "PlaceBid":
        return f"bid {auction} {command['bidder']['id']} {command['kind']} {command['amount']}"
    if kind == "BuyNow":
        return f"buy-now {auction} {command['bidder']['id']}"
    by = command["by"]["id"]
    if kind == "CancelAuction":
        return f"cancel {auction} {by} {sha256(command['reason'])}"
    if kind == "ExtendAuction":
        end = f"by {command['addedMs']}" if "addedMs" in command else f"to {command['closesAt']}"
        return f"extend {auction} {by} {end}"
    return f"close {auction} {by}"


def receipt_text(command, outcome):
    if outcome["status"] == "rejected":
        end = f"rejected {outcome['at']} {outcome['rejection']['code']}"
    else:
        end = f"accepted {outcome['at']} {outcome['seq']}"
        if "bid" in outcome:
            bid = outcome["bid"]
            end += f" {'leads' if bid['leads'] else 'outbid'} {bid['price']} {'met' if bid['reserveMet'] else 'unmet'}"
    return f"vendue-receipt-v1\n{command['auctionId']}\n{command['commandId']}\n{fingerprint(command)}\n{end}\n"


def receipts_signed(signed):
    home, receipts = signed["home"], signed["receipts"]
    if node_id(home["publicKey"]) != home["nodeId"]:
        return False
    digests = "".join(sha256(receipt_text(r["command"], r["outcome"])) + "\n" for r in receipts)
    text = f"vendue/receipts/v1/{home['nodeId']}\n{signed['signedAt']}\n{len(receipts)}\n{sha256(digests)}\n"
    same = all(r["command"]["commandId"] == r["outcome"]["commandId"] for r in receipts)
    return same and is_signed(text, signed["signature"], home["publicKey"])


def check_receipts(s, batches):
    by_id, amounts = {bid["bidId"]: bid for bid in s.bids}, {}
    for signed in batches:
        own = [r for r in signed["receipts"] if r["command"]["auctionId"] == s.auction_id]
        is_home = any(home["publicKey"] == signed["home"]["publicKey"] for home in s.homes)
        need(not own or (is_home and receipts_signed(signed)), "RECEIPT", "a receipt is not signed by a home")
        for command, outcome in ((r["command"], r["outcome"]) for r in own):
            if command["type"] not in ("PlaceBid", "BuyNow"):
                continue
            bid = by_id.get(command["commandId"])
            if outcome["status"] == "rejected":
                reused = outcome["rejection"]["code"] == "COMMAND_ID_REUSED"
                need(bid is None or reused, "RECEIPT", "a bid that was refused stands in the log")
                continue
            need(bid is not None, "RECEIPT", "a bid that was accepted is left out of the log")
            kind = command.get("kind", "buy-now")
            logged = "buy-now" if bid["type"] == "LotBoughtNow" else "max" if bid["commitment"] else "plain"
            result = {"leads": bid["leads"], "price": bid["price"], "reserveMet": bid["reserveMet"]}
            same = (bid["seq"] == outcome["seq"] and bid["bidder"]["id"] == command["bidder"]["id"] and kind == logged
                    and bid["amount"] in (None, command.get("amount", bid["amount"]))
                    and outcome.get("bid", result) == result)
            need(same, "RECEIPT", "a bid stands in the log otherwise than in its receipt")
            if command["type"] == "PlaceBid":
                amounts[outcome["seq"]] = command["amount"]
    if not amounts:
        return
    known = zip(s.bids, amounts_of(s, s.secret_of))
    reserve = s.reserve if s.status == "closed" or s.terms["reserveCommitment"] is None else UNKNOWN
    try:
        decide_again(s, [amounts.get(bid["seq"], amount) for bid, amount in known], reserve)
    except UnsoundPrice as error:
        raise Finding("RECEIPT", f"by the maxima in the receipts: {error}") from error


# The log as a whole

def check_head(commit):
    text = f"vendue/v1/{commit['auctionId']}\n{commit['lastSeq']}\n{commit['hash']}\n"
    need(is_signed(text, commit["signature"], commit["signer"]), "SIGNATURE", "the signature is not its author's")


def check_move(commit, body, home, cluster):
    """The new home has agreed to a handover, and the cluster to a takeover."""
    event = body.events[0]
    lines = commit["auctionId"], commit["firstSeq"], body.prev, home["nodeId"], event.get("to", home)["nodeId"]
    if event["type"] == "AuctionHandedOver":
        text = lined("vendue-handover-consent-v2", *lines, event["cluster"] or "-")
        need(is_signed(text, event["consent"], event["to"]["publicKey"]), "SIGNATURE", "the new home has not agreed")
    if event["type"] == "AuctionTakenOver":
        for key in event["keys"]:
            text = f"vendue-cluster-key-v1\n{cluster}\n{key['publicKey']}"
            need(is_signed(text, key["signature"], cluster), "SIGNATURE", "a key is not signed by the one before")
            cluster = key["publicKey"]
        text = lined("vendue-takeover-v1", *lines)
        need(is_signed(text, event["clusterSignature"], cluster), "SIGNATURE", "the cluster has not moved it")


def lined(*values):
    return "".join(f"{value}\n" for value in values)


def author_of(body, home):
    """Nobody asks the home whose place is taken."""
    event = body.events[0]
    return event["to"] if event["type"] == "AuctionTakenOver" else home


def misplaced(body):
    kinds = [event["type"] for event in body.events]
    return (len(kinds) > 1 and "AuctionHandedOver" in kinds) or "AuctionTakenOver" in kinds[1:]


def owns_its_id(home):
    return node_id(home["publicKey"]) == home["nodeId"]


def open_secrets(s, event):
    """Openings are of what was committed to; no command has an effect twice."""
    kind, id_ = event["type"], command_id(event)
    if kind == "MaximaRevealed":
        for maximum in event["maxima"]:
            bid = s.by_id.get(maximum["bidId"])
            sealed = bid is not None and bid["commitment"] is not None and bid["amount"] is None
            need(sealed, "COMMITMENT", "a bid has no maximum left to open")
            lost = any(since <= bid["seq"] < seq for seq, since in s.losses)
            need(not lost, "COMMITMENT", "a maximum is opened that its home had lost")
            found = commitment(s.auction_id, bid["bidId"], maximum["amount"], maximum["salt"])
            need(found == bid["commitment"], "COMMITMENT", "a maximum is not the one committed to")
            bid["amount"], s.sealed, s.opened = maximum["amount"], s.sealed - 1, s.opened + 1
    if kind == "AuctionClosed" and event["reserve"] is not None:
        found = commitment("reserve", s.open_id, event["reserve"]["amount"], event["reserve"]["salt"])
        need(found == s.terms["reserveCommitment"], "COMMITMENT", "the reserve is not the one committed to")
    need(id_ is None or id_ not in s.ids, "BID_ID", f"command {id_} stands in the log twice")
    s.ids.add(id_)
    if kind in BIDS:
        bid = {"amount": None, "commitment": None, "leads": True, "reserveMet": True, **event, "seq": s.seq}
        if kind == "LotBoughtNow":
            bid["amount"] = bid["price"]
        s.bids.append(bid)
        s.by_id[id_] = bid
        s.sealed += bid["amount"] is None


def verify_log(commits, every=False, receipts=()):
    """The auction that the log proves. Raises `Finding` for the first thing that is wrong."""
    s = SimpleNamespace(status="unopened", seq=0, at=0, auction_id=None, price=None, leader=None, leading_id=None,
                        bid_count=0, owed=None, moves=[], cluster=None, revealed=0, losses=[], bids=[], by_id={},
                        ids=set(), homes=[], sealed=0, opened=0, result=None, reserve=None, secret_of=None, mandates=0,
                        commits=0)
    last, home = None, None
    for commit in commits:
        body = read_commit(commit)
        s.auction_id = s.auction_id or commit["auctionId"]
        follows = (commit["auctionId"] == s.auction_id and commit["firstSeq"] == s.seq + 1
                   and body.prev == (last and last["hash"]))
        need(follows, "COMMIT", "it does not follow the commit before it")
        cluster = s.cluster and s.cluster[0]
        for event in body.events:
            evolve(s, event)
            open_secrets(s, event)
            if s.homes[-1:] != [s.home]:
                s.homes.append(s.home)
        author = author_of(body, home or s.homes[0])
        need(owns_its_id(author) and owns_its_id(s.home), "AUTHOR", "the home's id is not that of its key")
        need(commit["signer"] == author["publicKey"], "AUTHOR", "its author is not the home")
        need(is_signature(commit["signature"]), "SIGNATURE", "the signature is malformed")
        need(s.owed is None, "EVENT", f"it ends before what it owes by {s.owed}")
        need(not misplaced(body), "EVENT", "a handover is alone in its commit, a takeover its first event")
        check_move(commit, body, home or author, cluster)
        # The newest signature of each author speaks for all before it.
        if every:
            check_head(commit)
        elif last is not None and last["signer"] != commit["signer"]:
            check_head(last)
        check_mandates(s, commit, body)
        last, home, s.commits, s.mandates = commit, s.home, s.commits + 1, s.mandates + len(body.mandates)
    need(last is not None, "FILE", "there is no commit")
    if not every:
        check_head(last)
    s.head, s.decision = last["hash"], {"closed": "rerun", "cancelled": "none"}.get(s.status, "not-yet")
    if s.status == "closed":
        partly, s.secret_of = rerun(s)
        s.decision = "partly" if partly else "rerun"
    check_receipts(s, receipts)
    return s


def summary_of(s):
    return {"valid": s.decision != "partly", "verdict": "unproven" if s.decision == "partly" else "valid",
            "auction_id": s.auction_id, "status": s.status, "seq": s.seq, "hash": s.head, "commits": s.commits,
            "bids": s.bid_count, "winner": s.result["winner"] if s.result and s.result["sold"] else None,
            "decision": s.decision, "mandates_checked": s.mandates, "maxima_opened": s.opened,
            "maxima_sealed": s.sealed}


# Proofs that a home has signed two histories

def judge_proof(data):
    lines = list(read_lines(data))
    need(5 <= len(lines) <= 105 and lines[0].get("format") == "vendue-proof" and lines[0].get("version") == 4, "PROOF",
         "this is not a proof")
    need(lines[-1].get("end") == "vendue-proof" and lines[-1].get("commits") == len(lines) - 2, "PROOF", "it was cut")
    commits = lines[1:-1]
    need(all(map(is_commit_line, commits)), "PROOF", "a commit is malformed")
    need(all(c["auctionId"] == lines[0].get("auctionId") for c in commits), "PROOF", "it is about two auctions")
    bodies = [read_commit(commit) for commit in commits]
    for commit in commits:
        check_head(commit)
    opening = bodies[0].events[0]
    need(commits[0]["firstSeq"] == 1 and opening["type"] == "AuctionOpened", "PROOF", "it lacks the opening")
    home, cluster = opening["home"], opening["cluster"]
    need(owns_its_id(home) and commits[0]["signer"] == home["publicKey"], "PROOF", "the opening is not its home's")
    for commit, body in list(zip(commits, bodies))[1:-2]:
        moved = body.events[0]
        is_move = moved["type"] in ("AuctionHandedOver", "AuctionTakenOver") and not misplaced(body)
        need(is_move and owns_its_id(moved["to"]), "PROOF", "this is no move")
        # What lies between the event that names the cluster and a takeover adds nothing to the cluster's word.
        before = moved.get("from", home)
        check_author(commit, body, before, cluster)
        check_move(commit, body, before, cluster)
        home = moved["to"]
        cluster = moved["cluster"] if moved["type"] == "AuctionHandedOver" else newest_key(cluster, moved)
    first, second = commits[-2:]
    for commit, body in list(zip(commits, bodies))[-2:]:
        check_author(commit, body, home, cluster)
    overlap = max(first["firstSeq"], second["firstSeq"]) <= min(first["lastSeq"], second["lastSeq"])
    follows = second["firstSeq"] == first["lastSeq"] + 1 and bodies[-1].prev != first["hash"]
    need(first["hash"] != second["hash"] and (overlap or follows), "PROOF", "they do not contradict each other")
    return {"valid": True, "verdict": "valid", "kind": "equivocation", "auction_id": first["auctionId"],
            "author": node_id(cluster) if any(map(is_taken, bodies[-2:])) else home["nodeId"]}


def is_taken(body):
    return body.events[0]["type"] == "AuctionTakenOver"


def check_author(commit, body, home, cluster):
    """It is of this home, or the cluster's takeover from it."""
    author = author_of(body, home)
    need(owns_its_id(author) and commit["signer"] == author["publicKey"], "PROOF", "others signed it")
    if is_taken(body):
        from_home = cluster is not None and body.events[0]["from"]["nodeId"] == home["nodeId"]
        need(from_home, "PROOF", "it is of another home")
        check_move(commit, body, home, cluster)


# Proofs for the tools of transparency logs: C2SP tlog-proof, tlog-checkpoint and signed-note

def unbase64(text):
    """In its one spelling."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("this is base64 in another spelling than its own")
    return data


def verifier_key(name, public_key):
    key = b"\x01" + unbase64url(public_key)
    key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(key).decode()}"


def open_note(note, key):
    """The text of a signed note, once the key has signed it."""
    need(not re.search("[\0-\x09\x0b-\x1f]", note), "TLOG", "a note holds no control characters")
    text, blank, signatures = note.rpartition("\n\n")
    need(blank and signatures.endswith("\n") and "+" in key, "TLOG", "this is no signed note")
    text += "\n"
    name, key_id, encoded = key.split("+", 2)
    public_key = unbase64(encoded)
    need(public_key[:1] == b"\x01" and len(public_key) == 33, "TLOG", "the key is not of Ed25519")
    known = hashlib.sha256(name.encode() + b"\n" + public_key).digest()[:4]
    need(known.hex() == key_id, "TLOG", "the key's id is not its own")
    is_known = False
    for signature in signatures[:-1].split("\n"):
        parts = re.fullmatch("\u2014 ([^\\s+]+) ([^\\s]+)", signature)
        need(parts, "TLOG", "this is no line of a signature")
        signed = unbase64(parts[2])
        if parts[1] != name or signed[:4] != known:
            continue
        encode = base64.urlsafe_b64encode
        sound = is_signed(text, encode(signed[4:]).decode().rstrip("="), encode(public_key[1:]).decode().rstrip("="))
        need(sound, "TLOG", "the signature of the key does not hold")
        is_known = True
    need(is_known, "TLOG", "the key has not signed it")
    return text


def merkle_root(leaf, index, size, path):
    """The root that a way up to it gives (RFC 9162, 2.1.3.2)."""
    need(index < size, "TLOG", "the entry lies outside the tree")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        need(last > 0, "TLOG", "the way is too long")
        if node & 1 or node == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        node, last = node >> 1, last >> 1
    need(last == 0, "TLOG", "the way is too short")
    return root


def check_tlog_proof(proof, entries, key_of):
    """`entries`: what the log holds, in order; `key_of`: the key that may sign for an origin."""
    try:
        head, blank, note = proof.partition("\n\n")
        version, *lines = head.split("\n")
        need(version == "c2sp.org/tlog-proof@v1" and blank, "TLOG", "this is no tlog-proof")
        if lines and lines[0].startswith("extra "):
            unbase64(lines.pop(0)[6:])
        index = re.fullmatch("index (0|[1-9][0-9]*)", lines[0] if lines else "")
        need(index, "TLOG", "it names no entry")
        path = [unbase64(text) for text in lines[1:]]
        origin = note.split("\n")[0]
        fields_ = open_note(note, key_of(origin)).split("\n")[:-1]
        need(len(fields_) >= 3 and all(fields_) and re.fullmatch("0|[1-9][0-9]*", fields_[1]), "TLOG",
             "this is no checkpoint")
        index, size, root = int(index[1]), int(fields_[1]), unbase64(fields_[2])
        need(all(len(each) == 32 for each in (root, *path)) and index < len(entries), "TLOG", "it is of another log")
        leaf = hashlib.sha256(b"\0" + entries[index]).digest()
        need(merkle_root(leaf, index, size, path) == root, "TLOG", "the entry is not in the tree")
    except ValueError as error:
        raise Finding("TLOG", str(error)) from error
    return index, size


def is_proof(data):
    try:
        return read_line(data.split(b"\n")[0]).get("format") == "vendue-proof"
    except Finding:
        return False


def verify_file(data, every=False, receipts=(), tlog_proof=None, key=None):
    accuses = is_proof(data)
    try:
        if accuses:
            return judge_proof(data)
        s = verify_log(read_export(data), every, receipts)
        if tlog_proof is not None:
            homes = {f"vendue/tlog/v1/{s.auction_id}/{home['nodeId']}": home["publicKey"] for home in s.homes}

            def key_of(origin):
                need(key is not None or origin in homes, "TLOG", "no home of the auction has signed it: say whose key")
                return key or verifier_key(origin, homes[origin])

            check_tlog_proof(tlog_proof, [commit["body"].encode() for commit in read_export(data)], key_of)
        return summary_of(s)
    except Finding as finding:
        code = {} if accuses else {"code": finding.code}
        return {"valid": False, "verdict": "not-valid", **code, "rule": finding.rule}


def read_text(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def main(arguments):
    options = {"--json", "--all"} & set(arguments)
    given = {}
    for option in {"--receipts", "--tlog-proof", "--key"} & set(arguments):
        place = arguments.index(option)
        given[option] = arguments[place + 1]
        arguments = arguments[:place] + arguments[place + 2:]
    receipts = json.loads(read_text(given["--receipts"])) if "--receipts" in given else []
    tlog_proof = read_text(given["--tlog-proof"]) if "--tlog-proof" in given else None
    paths = [argument for argument in arguments if argument not in options]
    if not paths or any(path.startswith("--") for path in paths):
        sys.exit(__doc__)
    verdicts = set()
    for path in paths:
        with open(path, "rb") as file:
            result = verify_file(file.read(), "--all" in options, receipts, tlog_proof, given.get("--key"))
        verdicts.add(result["verdict"])
        if "--json" in options:
            print(json.dumps({"file": path, **result}))
        else:
            print(f"{path}: {result['verdict']}", *(f"{key}={value}" for key, value in result.items() if key in
                  ("code", "rule", "auction_id", "status", "winner", "decision", "author")))
    sys.exit(1 if "not-valid" in verdicts else 5 if "unproven" in verdicts else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
