"""What jsforce's documentation and its own tests name of query, crud, sobject, schema and meta.

One row each. `missing` says why the simulated org does not answer it; such a row has to fail, so
that the table stays true.
"""

from __future__ import annotations

from dataclasses import dataclass

BULK = "the Bulk API is not modelled"


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is the row's function in jsforce_rows.mjs."""

    section: str
    name: str
    behaviour: str
    missing: str | None = None


ROWS = (
    # login
    Row("login", "authorize", "authorize(code) logs in by the web server flow with PKCE"),
    Row("login", "refresh", "an expired session is refreshed and the call repeated"),
    Row("login", "refreshEvent", "the refresh event carries the new access token"),
    Row("login", "logout", "logout() ends the session"),
    # query
    Row("query", "queryRecords", "query() answers totalSize, done and records"),
    Row("query", "queryNextUrl", "a query beyond 2,000 rows has nextRecordsUrl"),
    Row("query", "queryMoreUrl", "queryMore(nextRecordsUrl) fetches page after page to the end"),
    Row("query", "queryMoreLocator", "queryMore() takes the locator alone"),
    Row("query", "queryEvents", "record and end events; totalSize and totalFetched"),
    Row("query", "queryErrorEvent", "the error event when a statement is refused"),
    Row("query", "queryNoAutoFetch", "without autoFetch one page is scanned"),
    Row("query", "queryMaxFetch", "autoFetch stops at maxFetch"),
    Row("query", "queryMaxFetchDefault", "autoFetch stops at 10,000 rows unless told otherwise"),
    Row("query", "queryAutoFetchAll", "autoFetch fetches everything below maxFetch"),
    Row("query", "queryScanAll", "scanAll finds deleted records"),
    Row("query", "queryPipe", "a query pipes its records into a slow stream"),
    Row("query", "queryCsv", "stream('csv') writes CSV"),
    Row("query", "queryExplain", "explain() answers plans"),
    Row("query", "findConditions", "find() with operators, date literals and parents"),
    Row("query", "findFieldNotations", "fields as an object, a text or a list"),
    Row("query", "findSortNotations", "sort by object, by text with minus, by name and direction"),
    Row("query", "findSkip", "limit and skip, offset"),
    Row("query", "findWildcard", "fields left out mean all fields"),
    Row("query", "selectParents", "select('*, Account.*') and a raw where"),
    Row("query", "includeChildren", "include() reads child records"),
    Row("query", "includeConditions", "include() with select, where, orderby and end"),
    Row("query", "updateTemplate", "Query#update with a template of the record's fields"),
    Row("query", "updateFunction", "Query#update with a function"),
    Row("query", "updateNoTemplate", "Query#update with skipRecordTemplateEval"),
    Row("query", "updateNothing", "Query#update of no record answers an empty list"),
    Row("query", "updateOfType", "Query#update(mapping, type) of a SOQL query"),
    Row("query", "destroyFound", "Query#destroy deletes what is found"),
    Row("query", "destroyNothing", "Query#destroy of no record answers an empty list"),
    Row("query", "destroyOfType", "Query#destroy(type) of a SOQL query"),
    Row("query", "manyWithoutBulk", "more than 200 records with allowBulk false"),
    Row("query", "manyWithBulk", "more than 200 records fall back to the Bulk API", BULK),
    # crud
    Row("crud", "createOne", "create(record)"),
    Row("crud", "insertSynonym", "insert() is create()"),
    Row("crud", "createMany", "create(records)"),
    Row("crud", "createRefused", "a refused create throws with its error code and fields"),
    Row("crud", "retrieveOne", "retrieve(id)"),
    Row("crud", "retrieveMany", "retrieve(ids)"),
    Row("crud", "retrieveFields", "retrieve(id, {fields})"),
    Row("crud", "retrieveGone", "retrieve(ids) gives null for what is gone"),
    Row("crud", "updateOne", "update(record)"),
    Row("crud", "updateMany", "update(records)"),
    Row("crud", "updateHeaders", "update and retrieve with headers of one's own"),
    Row("crud", "destroyOne", "destroy(id)"),
    Row("crud", "destroyMany", "destroy(ids)"),
    Row("crud", "destroySynonyms", "del() and delete() are destroy()"),
    Row("crud", "recordReference", "record(id).retrieve, update and destroy"),
    Row("crud", "upsertNew", "upsert(record, key) creates"),
    Row("crud", "upsertKnown", "upsert(record, key) changes"),
    Row("crud", "upsertSeveralMatches", "upsert of a key with several records: MULTIPLE_CHOICES"),
    Row("crud", "upsertMany", "upsert(records, key) by collections"),
    Row("crud", "upsertManyBefore46", "upsert(records, key) one by one below version 46.0"),
    Row("crud", "upsertAllOrNone", "upsert with allOrNone rolls back; every row says created"),
    Row("crud", "createAllOrNone", "create with allOrNone rolls everything back"),
    Row("crud", "updateAllOrNone", "update with allOrNone rolls everything back"),
    Row("crud", "destroyAllOrNone", "destroy with allOrNone rolls everything back"),
    Row("crud", "partialSuccess", "without allOrNone the good rows stay"),
    Row("crud", "tooMany", "more than 200 records without allowRecursive are refused"),
    Row("crud", "recursive", "allowRecursive divides into calls of 200"),
    Row("crud", "parallelBefore42", "many records one by one below version 42.0"),
    Row("crud", "search", "search(sosl)"),
    # sobject
    Row("sobject", "find", "find() without conditions"),
    Row("sobject", "findLike", "find() with $like"),
    Row("sobject", "findOne", "findOne() answers a record"),
    Row("sobject", "findOneNone", "findOne() answers null when there is none"),
    Row("sobject", "count", "count()"),
    Row("sobject", "sortOne", "sort by one field"),
    Row("sobject", "sortParents", "sort by a parent's field and another"),
    Row("sobject", "sortLimit", "sort and limit"),
    Row("sobject", "select", "select with a parent's field"),
    Row("sobject", "selectStars", "select('*, Account.*, Owner.Name')"),
    Row("sobject", "includeTwo", "two child relationships, one with a limit"),
    Row("sobject", "layouts", "layouts()"),
    Row("sobject", "layoutsOfTypes", "layouts() of an object with record types"),
    Row("sobject", "layoutsCached", "layouts$() and layouts$$()"),
    Row("sobject", "namedLayouts", "layouts('UserAlt')"),
    Row("sobject", "namedLayoutsCached", "layouts$('UserAlt') and layouts$$('UserAlt')"),
    Row("sobject", "compactLayouts", "compactLayouts()"),
    Row("sobject", "compactLayoutsCached", "compactLayouts$() and compactLayouts$$()"),
    Row("sobject", "approvalLayouts", "approvalLayouts()"),
    Row("sobject", "approvalLayoutsCached", "approvalLayouts$() and approvalLayouts$$()"),
    Row("sobject", "listviews", "listviews()"),
    Row("sobject", "listviewDescribe", "listview(id).describe()"),
    Row("sobject", "listviewResults", "listview(id).results()"),
    Row("sobject", "listviewExplain", "listview(id).explain()"),
    Row("sobject", "quickActions", "quickActions()"),
    Row("sobject", "quickAction", "quickAction(name).describe()"),
    Row("sobject", "bulkload", "createBulk, updateBulk, destroyBulk", BULK),
    # schema
    Row("schema", "schemaNotNull", "find with {$ne: null}, sorted and limited"),
    Row("schema", "schemaFields", "find with a list of fields, sorted by LastActivityDate"),
    Row("schema", "schemaFindOne", "findOne with a list of fields, a compound address among them"),
    Row("schema", "schemaProjection", "select with parents as nested lists, What and Owner"),
    Row("schema", "schemaIn", "find with a list of values"),
    Row("schema", "schemaHistories", "include('ActivityHistories')"),
    Row("schema", "schemaCount", "count with a boolean"),
    # meta
    Row("meta", "describe", "sobject.describe() and connection.describe()"),
    Row("meta", "describeCached", "describe$() and describe$$() keep the answer"),
    Row("meta", "describeUnknown", "describe() of an unknown object is NOT_FOUND"),
    Row("meta", "describeGlobal", "describeGlobal()"),
    Row("meta", "describeGlobalCached", "describeGlobal$() and describeGlobal$$()"),
    Row("meta", "cacheClear", "the cache is cleared"),
    Row("meta", "forView", "a query FOR VIEW"),
    Row("meta", "recentAll", "connection.recent(n)"),
    Row("meta", "recentOfObject", "sobject.recent()"),
    Row("meta", "updated", "updated(start, end) with dates"),
    Row("meta", "updatedTexts", "updated(start, end) with texts"),
    Row("meta", "deleted", "deleted(start, end) with dates"),
    Row("meta", "deletedTexts", "deleted(start, end) with texts"),
    Row("meta", "identity", "identity()"),
    Row("meta", "limitInfo", "limitInfo holds the API usage"),
    Row("meta", "limitsOfRequests", "limits() tells the daily API requests"),
    Row("meta", "limitsOfStorage", "limits() tells data and file storage",
        "limits shows the daily API requests alone"),
    Row("meta", "tabs", "tabs()"),
    Row("meta", "theme", "theme()"),
)  # fmt: skip
