#!/usr/bin/python3
"""A MongoDB server for tests: mockupdb speaks the wire, mongomock has the semantics (Debian: python3-mockupdb,
python3-mongomock). It keeps everything in memory and runs one command at a time, so it cannot show what a replica set does
under load or when a member dies. It does hold its clients to two rules a single server would let pass: every write asks for a
journaled majority, and every read for what a majority holds.

Prints its port on one line and serves until its standard input closes.

Faults come through MongoDB's own `configureFailPoint: failCommand` with `errorCode`, `errorLabels`, `writeConcernError` or
`closeConnection`. Two extensions: `afterwards: true` runs the command before the connection closes, so that the answer is lost
and not the write, and `statements: n` lets only the first n statements of a write be done before it does: a torn write.
"""

import copy
import sys

import mockupdb
import mongomock
from bson.int64 import Int64
from mongomock import DuplicateKeyError
from mongomock.filtering import filter_applies

DUPLICATE_KEY = 11000
BAD_VALUE = 2
COMMAND_NOT_FOUND = 59
WRITES = ("insert", "update", "delete", "findAndModify", "createIndexes")
STATEMENTS = ("documents", "updates", "deletes")
READS = ("find", "aggregate", "count", "distinct")
MAXIMUM_DOCUMENT_BYTES = 16 * 1024 * 1024


class Refusal(Exception):
    """A command that is answered with an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class MongoDouble:
    def __init__(self):
        self.client = mongomock.MongoClient()
        self.fail_point = None
        self.commands = {
            "ismaster": self.hello, "hello": self.hello, "buildinfo": self.build_info, "ping": self.nothing,
            "endsessions": self.nothing, "killcursors": self.nothing, "configurefailpoint": self.configure_fail_point,
            "insert": self.insert, "update": self.update, "delete": self.delete, "findandmodify": self.find_and_modify,
            "find": self.find, "aggregate": self.aggregate, "createindexes": self.create_indexes,
            "dropdatabase": self.drop_database,
        }

    def handle(self, request):
        """Answers one request. The server calls it for one request at a time, which makes every command atomic."""
        command = request.doc
        name = next(iter(command))
        fault = self.next_fault(name)
        if fault and "statements" in fault:
            command = torn(command, fault["statements"])
        elif fault and fault.get("closeConnection") and not fault.get("afterwards"):
            request.hangup()
            return True
        if fault and "errorCode" in fault:
            request.replies({
                "ok": 0, "code": fault["errorCode"], "errmsg": "failed by the fail point",
                "errorLabels": fault.get("errorLabels", []),
            })
            return True
        try:
            answer = self.run(name, command)
        except Refusal as refusal:
            answer = {"ok": 0, "code": refusal.code, "errmsg": str(refusal)}
        except DuplicateKeyError as clash:
            answer = {"ok": 0, "code": DUPLICATE_KEY, "errmsg": str(clash)}
        except Exception as problem:  # What mongomock cannot do must be seen by the test, not end the server.
            answer = {"ok": 0, "code": BAD_VALUE, "errmsg": f"{type(problem).__name__}: {problem}"}
        if fault and "writeConcernError" in fault:
            answer["writeConcernError"] = fault["writeConcernError"]
        if fault and fault.get("closeConnection"):
            request.hangup()
        else:
            request.replies({"ok": 1, **answer})
        return True

    def run(self, name, command):
        if name.lower() not in self.commands:
            raise Refusal(COMMAND_NOT_FOUND, f"no such command: {name}")
        concern = command.get("writeConcern", {})
        if name in WRITES and (concern.get("w") != "majority" or (name != "createIndexes" and not concern.get("j"))):
            raise Refusal(BAD_VALUE, f"{name} does not ask for a journaled majority")
        if name in READS and command.get("readConcern", {}).get("level") != "majority":
            raise Refusal(BAD_VALUE, f"{name} does not ask for what a majority holds")
        return self.commands[name.lower()](command)

    def hello(self, command):
        return {
            "ismaster": True, "isWritablePrimary": True, "helloOk": True, "minWireVersion": 0, "maxWireVersion": 21,
            "maxBsonObjectSize": MAXIMUM_DOCUMENT_BYTES, "maxMessageSizeBytes": 3 * MAXIMUM_DOCUMENT_BYTES,
            "maxWriteBatchSize": 100_000, "readOnly": False,
        }

    def build_info(self, command):
        return {"version": "7.0.0", "versionArray": [7, 0, 0, 0]}

    def nothing(self, command):
        return {}

    def configure_fail_point(self, command):
        mode = command["mode"]
        self.fail_point = None if mode == "off" else {"times": mode["times"], **command["data"]}
        return {}

    def next_fault(self, name):
        fault = self.fail_point
        if not fault or name not in fault["failCommands"]:
            return None
        fault["times"] -= 1
        if fault["times"] == 0:
            self.fail_point = None
        return fault

    def insert(self, command):
        collection = self.collection(command, "insert")
        return self.write_each(command, "documents", lambda document: self.insert_one(collection, document))

    def insert_one(self, collection, document):
        try:
            collection.insert_one(document)
        except DuplicateKeyError:
            raise self.explain(collection, document)
        return {"n": 1}

    def update(self, command):
        collection = self.collection(command, "update")
        return self.write_each(command, "updates", lambda change: self.update_some(collection, change))

    def update_some(self, collection, change):
        before = copy.deepcopy(collection.find_one(change["q"]))
        try:
            result = collection._update(
                change["q"], change["u"], upsert=change.get("upsert", False), multi=change.get("multi", False))
        except DuplicateKeyError:
            raise self.explain(collection, self.as_written(change, before), before)
        answer = {"n": result["n"], "nModified": result["nModified"]}
        if result["upserted"] is not None:
            answer["upserted"] = result["upserted"]
        return answer

    def delete(self, command):
        collection = self.collection(command, "delete")
        return self.write_each(command, "deletes", lambda removal: {"n": (
            collection.delete_one if removal["limit"] == 1 else collection.delete_many)(removal["q"]).deleted_count})

    def write_each(self, command, part, write):
        """Runs the statements of a write, each on its own, and gathers their answers and errors."""
        answer, errors, upserted = {"n": 0}, [], []
        for index, statement in enumerate(command[part]):
            try:
                done = write(statement)
            except DuplicateKeyError as clash:
                errors.append({"index": index, "code": DUPLICATE_KEY, "errmsg": str(clash)})
                if command.get("ordered", True):
                    break
                continue
            answer["n"] += done["n"]
            if "nModified" in done:
                answer["nModified"] = answer.get("nModified", 0) + done["nModified"]
            if "upserted" in done:
                upserted.append({"index": index, "_id": done["upserted"]})
        if errors:
            answer["writeErrors"] = errors
        if upserted:
            answer["upserted"] = upserted
        return answer

    def find_and_modify(self, command):
        collection = self.collection(command, "findAndModify")
        when = mongomock.collection.ReturnDocument.AFTER if command.get("new") else mongomock.collection.ReturnDocument.BEFORE
        found = collection.find_one_and_update(
            command["query"], command["update"], upsert=command.get("upsert", False), return_document=when,
            projection=command.get("fields"), sort=self.order(command))
        return {"value": found, "lastErrorObject": {"updatedExisting": found is not None, "n": 1 if found else 0}}

    def find(self, command):
        cursor = self.collection(command, "find").find(
            command.get("filter", {}), projection=command.get("projection"), sort=self.order(command),
            skip=command.get("skip", 0), limit=abs(command.get("limit", 0)))
        return self.whole_cursor(command, "find", cursor)

    def aggregate(self, command):
        return self.whole_cursor(command, "aggregate", self.collection(command, "aggregate").aggregate(command["pipeline"]))

    def create_indexes(self, command):
        collection = self.collection(command, "createIndexes")
        for index in command["indexes"]:
            options = {key: index[key] for key in ("unique", "sparse", "partialFilterExpression") if key in index}
            collection.create_index(list(index["key"].items()), name=index["name"], **options)
        return {}

    def drop_database(self, command):
        self.client.drop_database(command["$db"])
        return {}

    def collection(self, command, name):
        return self.client[command["$db"]][command[name]]

    @staticmethod
    def order(command):
        return list(command["sort"].items()) if command.get("sort") else None

    @staticmethod
    def whole_cursor(command, name, documents):
        """All in the first batch: a driver takes as many as it is given."""
        return {"cursor": {"id": Int64(0), "ns": f"{command['$db']}.{command[name]}", "firstBatch": list(documents)}}

    @staticmethod
    def as_written(change, before):
        """The document an update that clashed would have left, as far as the indexes want to know."""
        update = change["u"]
        if not any(key.startswith("$") for key in update):
            return update
        return {**(before or equalities(change["q"])), **update.get("$set", {}), **update.get("$setOnInsert", {})}

    @staticmethod
    def explain(collection, document, before=None):
        """The server's own words for a clash, which name the index; mongomock's do not."""
        place = f"{collection.database.name}.{collection.name}"
        others = {"_id": {"$ne": before["_id"]}} if before else {}
        if not before and "_id" in document and collection.find_one({"_id": document["_id"]}):
            return clash(place, "_id_", {"_id": document["_id"]})
        for name, index in collection._store.indexes.items():
            part = index.get("partialFilterExpression") or {}
            if not index.get("unique") or not filter_applies(part, document):
                continue
            fields = {field: document.get(field) for field, _ in index["key"]}
            if collection.find_one({"$and": [others, part, fields]}):
                return clash(place, name, fields)
        raise AssertionError(f"{place} has no index that {document} clashes in")


def torn(command, statements):
    """A write of which only the first statements are left."""
    return {name: value[:statements] if name in STATEMENTS else value for name, value in command.items()}


def equalities(query):
    """What an upsert takes over from its filter."""
    found = {}
    for key, value in query.items():
        if key == "$and":
            for part in value:
                found.update(equalities(part))
        elif not key.startswith("$") and not isinstance(value, dict):
            found[key] = value
    return found


def clash(place, index, fields):
    shown = ", ".join(f"{field}: {value!r}" for field, value in fields.items())
    return DuplicateKeyError(
        f"E11000 duplicate key error collection: {place} index: {index} dup key: {{ {shown} }}", DUPLICATE_KEY)


def main():
    server = mockupdb.MockupDB(request_timeout=int(1e6))
    server.autoresponds(MongoDouble().handle)
    print(server.run(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
