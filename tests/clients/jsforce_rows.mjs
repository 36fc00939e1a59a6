// The rows of table.py, each a function; reads its settings as JSON from stdin and prints
// {name: {ok, error}} as its last line.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';

const settings = JSON.parse(await text(process.stdin));
const require = createRequire(settings.modules);
const jsforce = require('jsforce');
const { SfDate } = jsforce;

async function text(stream) {
  let all = '';
  for await (const part of stream) all += part;
  return all;
}

const VERSION = '60.0';
const mark = `js${Date.now()}`;
const oauth2 = () => new jsforce.OAuth2({
  loginUrl: settings.loginUrl,
  clientId: settings.clientId,
  clientSecret: settings.clientSecret,
  redirectUri: settings.redirectUri,
  useVerifier: true,
});

// Log in and approve as a person with a browser would; the code at which that ends.
async function code(client) {
  const url = client.getAuthorizationUrl({ scope: 'api refresh_token openid' });
  const cookies = new Map();
  const go = async (method, form) => {
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair] = cookie.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return answer;
  };
  await go('GET');
  await go('POST', { action: 'login', username: settings.username, pw: settings.password });
  let back = await go('GET');
  if (back.status === 200) { // not approved before
    const csrf = /name="csrf" value="(\w+)"/.exec(await back.text())[1];
    back = await go('POST', { csrf, action: 'approve' });
  }
  return new URL(back.headers.get('location')).searchParams.get('code');
}

async function login() {
  const client = oauth2();
  const connection = new jsforce.Connection({ oauth2: client, version: VERSION });
  const user = await connection.authorize(await code(client));
  return { connection, user };
}

const { connection: conn, user } = await login();
const Account = conn.sobject('Account');
const Contact = conn.sobject('Contact');
const Opportunity = conn.sobject('Opportunity');
const Task = conn.sobject('Task');
const KEY = 'Message_Key__c';
let serial = 0;
const fresh = (what = 'x') => `${mark} ${what} ${++serial}`;

const isList = (value) => assert.ok(Array.isArray(value));
const isText = (value) => assert.equal(typeof value, 'string');
const isNumber = (value) => assert.equal(typeof value, 'number');
const isObject = (value) => assert.ok(value !== null && typeof value === 'object');
const successful = (rows) => rows.forEach((row) => assert.equal(row.success, true));

async function accounts(count, name = fresh('Account')) {
  const rows = Array.from({ length: count }, (_, i) => ({ Name: `${name} #${i}`, Phone: '1' }));
  const made = await Account.create(rows, { allowRecursive: true });
  successful(made);
  return { name, ids: made.map((row) => row.id) };
}

// 10,050 Tasks, for pages.
const BIG = 10050;
const big = `SELECT Id, Subject FROM Task WHERE Subject = '${mark} big'`;
let filled;
const fill = () => (filled ??= Task.create(
  Array.from({ length: BIG }, () => ({ Subject: `${mark} big`, Status: 'Completed' })),
  { allowRecursive: true },
).then(successful));

const aLayout = (layout) => {
  assert.ok(layout.id === null || typeof layout.id === 'string');
  isObject(layout.buttonLayoutSection);
  isList(layout.detailLayoutSections);
  isList(layout.editLayoutSections);
  isList(layout.quickActionList.quickActionListItems);
  isList(layout.relatedLists);
};
const theLayouts = (result) => {
  assert.ok(result.layouts.length > 0);
  result.layouts.forEach(aLayout);
  isList(result.recordTypeMappings);
  isList(result.recordTypeSelectorRequired);
};
const theCompactLayouts = (result) => {
  assert.ok(result.compactLayouts.length > 0);
  for (const layout of result.compactLayouts) {
    isText(layout.objectType);
    isList(layout.actions);
    isList(layout.fieldItems);
  }
  isList(result.recordTypeCompactLayoutMappings);
};
const thePlans = (result) => {
  assert.ok(result.plans.length > 0);
  for (const plan of result.plans) {
    isNumber(plan.cardinality);
    isList(plan.fields);
    isText(plan.leadingOperationType);
    isNumber(plan.relativeCost);
    isNumber(plan.sobjectCardinality);
    isText(plan.sobjectType);
  }
};
const theColumns = (columns) => columns.forEach((column) => {
  isText(column.label);
  isText(column.fieldNameOrPath);
  isText(column.selectListItem);
  assert.ok(column.sortIndex === null || typeof column.sortIndex === 'number');
  assert.equal(typeof column.sortable, 'boolean');
});
const firstView = async () => (await Account.listviews()).listviews[0].id;
const minutesAgo = (minutes) => new Date(Date.now() - minutes * 60000);
const drained = (query, options) => new Promise((resolve, reject) => {
  const records = [];
  query.on('record', (record) => records.push(record))
    .on('end', () => resolve(records)).on('error', reject).run(options);
});
const with_version = async (version, work) => {
  conn.version = version;
  try { return await work(); } finally { conn.version = VERSION; }
};

const rows = {
  // login
  async authorize() {
    isText(user.id);
    assert.equal(user.organizationId, settings.organizationId);
    assert.equal(conn.instanceUrl, settings.instanceUrl);
  },
  async refresh() {
    const { connection } = await login();
    connection.accessToken = '00D!expired';
    isNumber((await connection.query('SELECT Id FROM Account LIMIT 1')).totalSize);
    assert.notEqual(connection.accessToken, '00D!expired');
  },
  async refreshEvent() {
    const { connection } = await login();
    connection.accessToken = '00D!expired';
    let token;
    connection.on('refresh', (renewed) => { token = renewed; });
    await connection.query('SELECT Id FROM Account LIMIT 1');
    assert.equal(token, connection.accessToken);
  },
  async logout() {
    const { connection } = await login();
    const { accessToken, instanceUrl } = connection;
    await connection.logout();
    const ended = new jsforce.Connection({ accessToken, instanceUrl, version: VERSION });
    await assert.rejects(ended.query('SELECT Id FROM Account'), { name: 'INVALID_SESSION_ID' });
  },
  // query
  async queryRecords() {
    const result = await conn.query('SELECT Id, Name FROM Account');
    isNumber(result.totalSize);
    assert.equal(result.done, true);
    assert.equal(result.records.length, result.totalSize);
    isText(result.records[0].attributes.url);
  },
  async queryNextUrl() {
    await fill();
    const result = await conn.query(big);
    assert.equal(result.totalSize, BIG);
    assert.equal(result.records.length, 2000);
    assert.equal(result.done, false);
    isText(result.nextRecordsUrl);
  },
  async queryMoreUrl() {
    await fill();
    let result = await conn.query(big);
    let { records } = result;
    while (!result.done) {
      result = await conn.queryMore(result.nextRecordsUrl);
      records = [...records, ...result.records];
    }
    assert.equal(new Set(records.map(({ Id }) => Id)).size, BIG);
  },
  async queryMoreLocator() {
    await fill();
    const { nextRecordsUrl } = await conn.query(big);
    const next = await conn.queryMore(nextRecordsUrl.split('/').pop());
    assert.equal(next.records.length, 2000);
  },
  async queryEvents() {
    const query = conn.query('SELECT Id FROM Contact');
    const records = await drained(query);
    assert.equal(query.totalSize, records.length);
    assert.equal(query.totalFetched, records.length);
  },
  async queryErrorEvent() {
    const refused = await new Promise((resolve) => {
      conn.query('SELECT Nothing FROM Contact').on('error', resolve).run();
    });
    assert.equal(refused.name, 'INVALID_FIELD');
  },
  async queryNoAutoFetch() {
    await fill();
    const query = conn.query(big);
    assert.equal((await drained(query, { autoFetch: false })).length, 2000);
    assert.equal(query.totalSize, BIG);
  },
  async queryMaxFetch() {
    await fill();
    const query = conn.query(big);
    assert.equal((await drained(query, { autoFetch: true, maxFetch: 5000 })).length, 5000);
    const result = await conn.query(big, { autoFetch: true, maxFetch: 3999 });
    assert.equal(result.records.length, 3999);
  },
  async queryMaxFetchDefault() {
    await fill();
    assert.equal((await conn.query(big, { autoFetch: true })).records.length, 10000);
  },
  async queryAutoFetchAll() {
    await fill();
    const result = await conn.query(big, { autoFetch: true, maxFetch: 5000000 });
    assert.equal(result.records.length, BIG);
  },
  async queryScanAll() {
    const { id } = await Account.create({ Name: fresh() });
    await Account.record(id).destroy();
    const soql = `SELECT Id, IsDeleted FROM Account WHERE IsDeleted = true AND Id = '${id}'`;
    assert.equal((await conn.query(soql)).totalSize, 0);
    assert.equal((await conn.query(soql).run({ scanAll: true })).totalSize, 1);
  },
  async queryPipe() {
    await fill();
    const records = [];
    await new Promise((resolve, reject) => {
      const slow = new Writable({
        objectMode: true,
        write(record, _, next) {
          records.push(record);
          if (records.length % 500) next(); else setImmediate(next);
        },
      });
      conn.query(big).run({ autoFetch: true, maxFetch: 5000 }).pipe(slow)
        .on('finish', resolve).on('error', reject);
    });
    assert.equal(records.length, 5000);
  },
  async queryCsv() {
    const csv = await text(conn.query('SELECT Id, Name FROM Account LIMIT 3').stream('csv'));
    const lines = csv.trim().split('\n');
    assert.equal(lines[0], 'Id,Name');
    assert.equal(lines.length, 4);
  },
  async queryExplain() {
    thePlans(await conn.query('SELECT Id FROM Account ORDER BY CreatedDate LIMIT 10').explain());
  },
  async findConditions() {
    const { name, ids } = await accounts(1);
    await Contact.create({ LastName: `${mark} A`, AccountId: ids[0] });
    const found = await Contact.find(
      {
        LastName: { $like: `${mark}%` },
        CreatedDate: { $gte: SfDate.YESTERDAY },
        'Account.Name': `${name} #0`,
      },
      { Id: 1, Name: 1, CreatedDate: 1 },
    ).sort({ CreatedDate: -1, Name: 1 }).limit(5).execute();
    assert.equal(found.length, 1);
  },
  async findFieldNotations() {
    for (const fields of [{ Id: 1, Name: 1 }, 'Id, Name', ['Id', 'Name']]) {
      const [record] = await Contact.find(null, fields).limit(1);
      assert.deepEqual(Object.keys(record), ['attributes', 'Id', 'Name']);
    }
  },
  async findSortNotations() {
    const names = async (...sort) => (await Contact.find({}, 'Id, LastName').sort(...sort).limit(9))
      .map(({ Id }) => Id);
    const wanted = await names('-LastName Id');
    assert.deepEqual(await names({ LastName: -1, Id: 1 }), wanted);
    assert.notDeepEqual(await names('LastName', 'ASC'), wanted);
  },
  async findSkip() {
    const all = (await Account.find({}, 'Id').sort('Id').limit(4)).map(({ Id }) => Id);
    for (const skip of ['skip', 'offset']) {
      const some = await Account.find({}, 'Id').sort('Id').limit(2)[skip](2);
      assert.deepEqual(some.map(({ Id }) => Id), all.slice(2));
    }
  },
  async findWildcard() {
    const { fields } = await Contact.describe();
    for (const query of [Contact.find({}), Contact.find({}, '*')]) {
      const [record] = await query.limit(1);
      assert.deepEqual(
        Object.keys(record).sort(),
        ['attributes', ...fields.map(({ name }) => name)].sort(),
      );
    }
  },
  async selectParents() {
    const found = await Contact.select('*, Account.*').where('AccountId != null').limit(10).offset(1);
    assert.ok(found.length > 0);
    found.forEach((record) => { isText(record.LastName); isText(record.Account.Name); });
  },
  async includeChildren() {
    const { ids } = await accounts(1);
    await Contact.create([1, 2, 3].map((n) => ({ LastName: `${mark} ${n}`, AccountId: ids[0] })));
    const [record] = await Account.find({ Id: ids[0] }, 'Id').include('Contacts').select('*').limit(2)
      .end();
    assert.equal(record.Contacts.records.length, 2);
    isText(record.Contacts.records[0].LastName);
  },
  async includeConditions() {
    const { id } = await Contact.create({ LastName: fresh() });
    await conn.sobject('Case').create(['New', 'Closed', 'New'].map((Status) => (
      { Status, ContactId: id, Subject: mark })));
    const [record] = await Contact.select('Id, Account.Name').include('Cases').select('*')
      .where({ Status: 'New', OwnerId: conn.userInfo.id }).orderby('CreatedDate', 'DESC').end()
      .where({ Id: id });
    assert.equal(record.Cases.totalSize, 2);
  },
  async updateTemplate() {
    const { name } = await accounts(20);
    const found = Account.find({ Name: { $like: `${name}%` } });
    const done = await found.update({ Name: '${Name} (Updated)', Phone: null });
    assert.equal(done.length, 20);
    successful(done);
    for (const record of await Account.find({ Name: { $like: `${name}%` } })) {
      assert.ok(record.Name.endsWith('(Updated)'));
      assert.equal(record.Phone, null);
    }
  },
  async updateFunction() {
    const { name } = await accounts(2);
    await Account.find({ Name: { $like: `${name}%` } })
      .update((record) => ({ Id: record.Id, Phone: record.Name.slice(-2) }));
    const phones = (await Account.find({ Name: { $like: `${name}%` } }, 'Phone').sort('Phone'))
      .map(({ Phone }) => Phone);
    assert.deepEqual(phones, ['#0', '#1']);
  },
  async updateNoTemplate() {
    const { ids } = await accounts(1);
    await Account.find({ Id: ids[0] })
      .update({ Name: '${Name} (No)' }, { skipRecordTemplateEval: true });
    assert.equal((await Account.retrieve(ids[0])).Name, '${Name} (No)');
  },
  async updateNothing() {
    const none = { CreatedDate: { $lt: new SfDate('1970-01-01T00:00:00Z') } };
    assert.deepEqual(await Account.find(none).update({ Phone: null }), []);
  },
  async updateOfType() {
    const { ids } = await accounts(1);
    const done = await conn.query(`SELECT Id, Name FROM Account WHERE Id = '${ids[0]}'`)
      .update({ Phone: '${Name}'.slice(0, 7) }, 'Account');
    successful(done);
  },
  async destroyFound() {
    const { name } = await accounts(20);
    const done = await Account.find({ Name: { $like: `${name}%` } }).destroy();
    assert.equal(done.length, 20);
    successful(done);
    assert.equal(await Account.count({ Name: { $like: `${name}%` } }), 0);
  },
  async destroyNothing() {
    const none = { CreatedDate: { $lt: new SfDate('1970-01-01T00:00:00Z') } };
    assert.deepEqual(await Account.find(none).destroy(), []);
  },
  async destroyOfType() {
    const { ids } = await accounts(1);
    successful(await conn.query(`SELECT Id FROM Account WHERE Id = '${ids[0]}'`).destroy('Account'));
  },
  async manyWithoutBulk() {
    const { name } = await accounts(300);
    const found = () => Account.find({ Name: { $like: `${name}%` } }, 'Id, Name');
    const done = await found().update({ Phone: '2' }, { allowBulk: false });
    assert.equal(done.length, 300);
    successful(done);
    const gone = await found().destroy({ allowBulk: false });
    assert.equal(gone.length, 300);
    successful(gone);
  },
  async manyWithBulk() {
    const { name } = await accounts(201);
    successful(await Account.find({ Name: { $like: `${name}%` } }, 'Id, Name').update({ Phone: '2' }));
  },
  // crud
  async createOne() {
    const done = await Account.create({ Name: fresh() });
    assert.equal(done.success, true);
    isText(done.id);
    assert.deepEqual(done.errors, []);
  },
  async insertSynonym() {
    assert.equal((await Account.insert({ Name: fresh() })).success, true);
  },
  async createMany() {
    const done = await Account.create([{ Name: fresh() }, { Name: fresh() }]);
    assert.equal(done.length, 2);
    successful(done);
  },
  async createRefused() {
    await assert.rejects(Contact.create({ FirstName: 'x' }), (error) => {
      assert.equal(error.errorCode, 'REQUIRED_FIELD_MISSING');
      assert.deepEqual(error.data.fields, ['LastName']);
      return true;
    });
  },
  async retrieveOne() {
    const { name, ids } = await accounts(1);
    const record = await Account.retrieve(ids[0]);
    assert.equal(record.Name, `${name} #0`);
    assert.equal(record.attributes.type, 'Account');
  },
  async retrieveMany() {
    const { name, ids } = await accounts(2);
    const found = await Account.retrieve(ids);
    assert.deepEqual(found.map(({ Name }) => Name), [`${name} #0`, `${name} #1`]);
  },
  async retrieveFields() {
    const { ids } = await accounts(1);
    const record = await Account.retrieve(ids[0], { fields: ['Name'] });
    assert.equal(record.Phone, undefined);
  },
  async retrieveGone() {
    const { ids } = await accounts(2);
    await Account.destroy(ids[0]);
    const found = await Account.retrieve(ids);
    assert.equal(found[0], null);
    assert.equal(found[1].Id, ids[1]);
  },
  async updateOne() {
    const { ids } = await accounts(1);
    assert.equal((await Account.update({ Id: ids[0], Name: mark })).success, true);
    assert.equal((await Account.retrieve(ids[0])).Name, mark);
  },
  async updateMany() {
    const { ids } = await accounts(2);
    successful(await Account.update(ids.map((Id) => ({ Id, Name: `${mark} ${Id}` }))));
    const found = await Account.retrieve(ids);
    assert.deepEqual(found.map(({ Name }) => Name), ids.map((id) => `${mark} ${id}`));
  },
  async updateHeaders() {
    const { ids } = await accounts(1);
    const options = { headers: { 'SForce-Auto-Assign': 'FALSE' } };
    await Account.record(ids[0]).update({ Name: 'Hello3' }, options);
    assert.equal((await Account.record(ids[0]).retrieve(options)).Name, 'Hello3');
  },
  async destroyOne() {
    const { ids } = await accounts(1);
    const done = await Account.destroy(ids[0]);
    assert.deepEqual([done.success, done.id], [true, ids[0]]);
    await assert.rejects(Account.retrieve(ids[0]), { name: 'NOT_FOUND' });
  },
  async destroyMany() {
    const { ids } = await accounts(2);
    successful(await Account.destroy(ids));
    assert.deepEqual(await Account.retrieve(ids), [null, null]);
  },
  async destroySynonyms() {
    const { ids } = await accounts(2);
    assert.equal((await Account.del(ids[0])).success, true);
    assert.equal((await Account.delete(ids[1])).success, true);
  },
  async recordReference() {
    const { ids } = await accounts(1);
    const record = Account.record(ids[0]);
    assert.equal((await record.update({ Phone: '7' })).success, true);
    assert.equal((await record.retrieve()).Phone, '7');
    assert.equal((await record.destroy()).success, true);
  },
  async upsertNew() {
    const done = await Task.upsert({ Subject: 'x', [KEY]: fresh() }, KEY);
    assert.deepEqual([done.success, done.created], [true, true]);
    isText(done.id);
  },
  async upsertKnown() {
    const key = fresh();
    const first = await Task.upsert({ Subject: 'x', [KEY]: key }, KEY);
    const second = await Task.upsert({ Subject: 'y', [KEY]: key }, KEY);
    assert.deepEqual([second.success, second.created, second.id], [true, false, first.id]);
    assert.equal((await Task.retrieve(first.id)).Subject, 'y');
  },
  async upsertSeveralMatches() {
    const Email = `${fresh('twin').replaceAll(' ', '')}@example.com`;
    await Contact.create([{ LastName: 'A', Email }, { LastName: 'B', Email }]);
    await assert.rejects(Contact.upsert({ LastName: 'C', Email }, 'Email'), (error) => {
      assert.equal(error.name, 'MULTIPLE_CHOICES');
      isText(error.data[0]);
      return true;
    });
  },
  async upsertMany() {
    const records = [1, 2, 3, 4, 5].map(() => ({ Subject: 'x', [KEY]: fresh() }));
    const done = await with_version('50.0', () => Task.upsert(records, KEY));
    successful(done);
    done.forEach((row) => { isText(row.id); assert.equal(row.created, true); });
  },
  async upsertManyBefore46() {
    const records = [1, 2, 3, 4, 5].map(() => ({ Subject: 'x', [KEY]: fresh() }));
    const done = await with_version('45.0', () => Task.upsert(records, KEY));
    successful(done);
    done.forEach((row) => isText(row.id));
  },
  async upsertAllOrNone() {
    const records = [1, 2, 3, 4, 5].map(() => ({ Subject: 'x', [KEY]: fresh() }));
    records[2].OwnerId = 'INVALID_OWNER';
    const done = await with_version('50.0', () => Task.upsert(records, KEY, { allOrNone: true }));
    done.forEach((row, place) => {
      assert.equal(row.success, false);
      assert.equal(row.created, true);
      assert.equal(
        row.errors[0].statusCode,
        place === 2 ? 'MALFORMED_ID' : 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
      );
    });
    const found = await Task.find({ [KEY]: { $in: records.map((record) => record[KEY]) } });
    assert.equal(found.length, 0);
  },
  async createAllOrNone() {
    const name = fresh();
    const done = await Account.create([{ Name: name }, { Phone: '1' }], { allOrNone: true });
    assert.deepEqual(done.map(({ success }) => success), [false, false]);
    assert.equal(await Account.count({ Name: name }), 0);
  },
  async updateAllOrNone() {
    const { name, ids } = await accounts(2);
    const changes = [{ Id: ids[0], Name: 'changed' }, { Id: ids[1], Name: null }];
    const done = await Account.update(changes, { allOrNone: true });
    assert.deepEqual(done.map(({ success }) => success), [false, false]);
    assert.equal((await Account.retrieve(ids[0])).Name, `${name} #0`);
  },
  async destroyAllOrNone() {
    const { ids } = await accounts(2);
    await Account.destroy(ids[1]);
    const done = await Account.destroy(ids, { allOrNone: true });
    assert.deepEqual(done.map(({ success }) => success), [false, false]);
    isObject(await Account.retrieve(ids[0]));
  },
  async partialSuccess() {
    const name = fresh();
    const done = await Account.create([{ Name: name }, { Phone: '1' }]);
    assert.deepEqual(done.map(({ success }) => success), [true, false]);
    assert.equal(await Account.count({ Name: name }), 1);
  },
  async tooMany() {
    const records = Array.from({ length: 201 }, () => ({ Name: mark }));
    await assert.rejects(Account.create(records));
  },
  async recursive() {
    const { ids } = await accounts(1000);
    assert.equal(new Set(ids).size, 1000);
  },
  async parallelBefore42() {
    await with_version('41.0', async () => {
      const { ids } = await accounts(3);
      const found = await Account.retrieve(ids);
      assert.equal(found.length, 3);
      successful(await Account.update(ids.map((Id) => ({ Id, Phone: '2' }))));
      successful(await Account.destroy(ids));
    });
  },
  async search() {
    const word = `word${Date.now()}`;
    await accounts(20, word);
    const sosl = `FIND {"${word}"} IN NAME FIELDS RETURNING Account(Id, Name)`;
    assert.equal((await conn.search(sosl)).searchRecords.length, 20);
  },
  // sobject
  async find() { isList(await Account.find()); },
  async findLike() {
    const { name } = await accounts(2);
    const found = await Account.find({ Name: { $like: `${name}%` } }, { Name: 1 });
    assert.equal(found.length, 2);
  },
  async findOne() {
    const { ids } = await accounts(1);
    assert.equal((await Account.findOne({ Id: ids[0] })).Id, ids[0]);
  },
  async findOneNone() { assert.equal(await Account.findOne({ Name: fresh() }), null); },
  async count() {
    const { name } = await accounts(3);
    assert.equal(await Account.count({ Name: { $like: `${name}%` } }), 3);
  },
  async sortOne() {
    const found = await Opportunity.find({}, { CloseDate: 1 }).sort('CloseDate', 'desc').exec();
    assert.ok(found.length > 1);
    found.slice(1).forEach((next, place) => assert.ok(found[place].CloseDate >= next.CloseDate));
  },
  async sortParents() {
    const found = await Opportunity.find({ AccountId: { $ne: null } }, { 'Account.Name': 1, CloseDate: 1 })
      .sort('Account.Name -CloseDate').exec();
    assert.ok(found.length > 1);
    found.slice(1).forEach((next, place) => {
      const one = found[place];
      const [a, b] = [one, next].map((row) => row.Account.Name.toLowerCase());
      assert.ok(a <= b);
      if (a === b) assert.ok(one.CloseDate >= next.CloseDate);
    });
  },
  async sortLimit() {
    const found = await Opportunity.find({}, { 'Owner.Name': 1, CloseDate: 1 })
      .sort({ 'Owner.Name': 1, CloseDate: -1 }).limit(5).exec();
    assert.equal(found.length, 5);
  },
  async select() {
    const found = await Opportunity.select('Id,Owner.Name,CloseDate').limit(10).exec();
    assert.ok(found.length > 0);
    found.forEach((record) => { isText(record.Owner.Name); isText(record.CloseDate); });
  },
  async selectStars() {
    const found = await Opportunity.select('*, Account.*, Owner.Name').where('AccountId != null').exec();
    assert.ok(found.length > 0);
    found.forEach((record) => { isText(record.Account.Name); isText(record.Owner.Name); });
  },
  async includeTwo() {
    const found = await Account.find(null, 'Id').include('Contacts').select('*').limit(2).end()
      .include('Opportunities', null, 'Id, Name', { limit: 2 }).end().limit(10).exec();
    assert.ok(found.length > 0);
    for (const record of found) {
      assert.equal(record.Name, undefined);
      for (const children of [record.Contacts, record.Opportunities]) {
        if (children) assert.ok(children.records.length > 0 && children.records.length < 3);
      }
    }
    assert.ok(found.some((record) => record.Opportunities));
  },
  async layouts() { theLayouts(await Task.layouts()); },
  async layoutsOfTypes() {
    const result = await Account.layouts();
    assert.equal(result.layouts, null);
    aLayout(await conn.request(result.recordTypeMappings[0].urls.layout));
  },
  async layoutsCached() { theLayouts(await Task.layouts$()); theLayouts(Task.layouts$$()); },
  async namedLayouts() { theLayouts(await conn.sobject('User').layouts('UserAlt')); },
  async namedLayoutsCached() {
    theLayouts(await conn.sobject('User').layouts$('UserAlt'));
    theLayouts(conn.sobject('User').layouts$$('UserAlt'));
  },
  async compactLayouts() { theCompactLayouts(await Account.compactLayouts()); },
  async compactLayoutsCached() {
    theCompactLayouts(await Account.compactLayouts$());
    theCompactLayouts(Account.compactLayouts$$());
  },
  async approvalLayouts() { isList((await Account.approvalLayouts()).approvalLayouts); },
  async approvalLayoutsCached() {
    isList((await Account.approvalLayouts$()).approvalLayouts);
    isList(Account.approvalLayouts$$().approvalLayouts);
  },
  async listviews() {
    const { listviews } = await Account.listviews();
    assert.ok(listviews.length > 0);
    for (const view of listviews) {
      for (const key of ['id', 'label', 'describeUrl', 'resultsUrl']) isText(view[key]);
      assert.equal(typeof view.soqlCompatible, 'boolean');
    }
  },
  async listviewDescribe() {
    const result = await Account.listview(await firstView()).describe();
    isText(result.id);
    assert.equal(result.sobjectType, 'Account');
    isText(result.query);
    isList(result.orderBy);
    theColumns(result.columns);
  },
  async listviewResults() {
    const result = await Account.listview(await firstView()).results();
    assert.equal(typeof result.done, 'boolean');
    isNumber(result.size);
    isText(result.label);
    theColumns(result.columns);
    assert.ok(result.records.length > 0);
  },
  async listviewExplain() { thePlans(await Account.listview(await firstView()).explain()); },
  async quickActions() { isList(await Account.quickActions()); },
  async quickAction() { isObject(await Account.quickAction('NewContact').describe()); },
  async bulkload() { isList(await Account.createBulk([{ Name: mark }])); },
  // schema
  async schemaNotNull() {
    const found = await Account.find({ OwnerId: { $ne: null } }).sort('LastModifiedDate', 'DESC')
      .limit(10);
    assert.equal(found.length, 10);
  },
  async schemaFields() {
    const found = await Account.find(null, ['Id', 'Name', 'NumberOfEmployees'])
      .sort({ LastActivityDate: 'DESC' }).limit(10);
    assert.equal(found.length, 10);
  },
  async schemaFindOne() {
    const Email = `${fresh('one').replaceAll(' ', '')}@example.com`;
    const fields = ['Id', 'LastName', 'FirstName', 'Email', 'MailingAddress', 'CreatedDate'];
    assert.equal(await Contact.findOne({ Email }, fields), null);
    await Contact.create({ LastName: 'One', Email, MailingCity: 'Leeds' });
    assert.equal((await Contact.findOne({ Email }, fields)).MailingAddress.city, 'Leeds');
  },
  async schemaProjection() {
    const { name, ids } = await accounts(1);
    await Task.create({ Subject: mark, WhatId: ids[0] });
    const found = await Task.select(
      ['Id', 'Subject', 'ActivityDate', 'IsClosed', { Owner: ['Id', 'Username', 'Email'], What: ['Name'] }],
    ).where({ IsClosed: false, WhatId: ids[0] }).limit(10);
    assert.equal(found[0].What.Name, `${name} #0`);
    isText(found[0].Owner.Username);
  },
  async schemaIn() {
    isList(await Account.find({ Type: ['Customer', 'Partner'] }));
  },
  async schemaHistories() {
    isList(await Account.find({}).include('ActivityHistories').select(['Id', 'Subject']).end());
  },
  async schemaCount() { isNumber(await Task.count({ IsClosed: false })); },
  // meta
  async describe() {
    for (const result of [await Account.describe(), await conn.describe('Account')]) {
      assert.equal(result.name, 'Account');
      assert.ok(result.fields.length > 0);
    }
  },
  async describeCached() {
    const first = await Account.describe();
    assert.equal(await Account.describe$(), first);
    assert.equal(Account.describe$$(), first);
    assert.notEqual(await Account.describe(), first);
  },
  async describeUnknown() {
    await assert.rejects(conn.describe('Nothing__c'), { name: 'NOT_FOUND' });
  },
  async describeGlobal() {
    const { sobjects } = await conn.describeGlobal();
    assert.ok(sobjects.length > 0);
    for (const entry of sobjects) {
      isText(entry.name);
      isText(entry.label);
      assert.equal(entry.fields, undefined);
    }
  },
  async describeGlobalCached() {
    const first = await conn.describeGlobal();
    assert.equal(await conn.describeGlobal$(), first);
    assert.equal(conn.describeGlobal$$(), first);
  },
  async cacheClear() {
    const first = await Account.describe$();
    conn.cache.clear();
    assert.notEqual(await Account.describe$(), first);
  },
  async forView() {
    const { ids } = await accounts(2);
    await conn.query(`SELECT Id, Name FROM Account WHERE Id = '${ids[0]}' FOR VIEW`);
    assert.equal((await conn.recent(1))[0].Id, ids[0]);
  },
  async recentAll() {
    const { ids } = await accounts(2);
    for (const id of ids) await Account.retrieve(id);
    const found = await conn.recent(2);
    assert.deepEqual(found.map(({ Id }) => Id), [ids[1], ids[0]]);
    found.forEach((record) => { isText(record.Name); assert.equal(record.attributes.type, 'Account'); });
  },
  async recentOfObject() {
    const { ids } = await accounts(1);
    await Account.retrieve(ids[0]);
    assert.equal((await Account.recent())[0].Id, ids[0]);
  },
  async updated() {
    const { ids, latestDateCovered } = await Account.updated(minutesAgo(60), new Date(Date.now() + 60000));
    assert.ok(ids.length > 0);
    isText(latestDateCovered);
  },
  async updatedTexts() {
    const [start, end] = [minutesAgo(1), new Date()].map(String);
    isList((await Account.updated(start, end)).ids);
  },
  async deleted() {
    const { ids } = await accounts(1);
    await Account.destroy(ids[0]);
    const end = new Date(Date.now() + 60000);
    const { deletedRecords } = await Account.deleted(minutesAgo(1), end);
    assert.ok(deletedRecords.some(({ id }) => id === ids[0]));
  },
  async deletedTexts() {
    const [start, end] = [minutesAgo(1), new Date()].map(String);
    isList((await Account.deleted(start, end)).deletedRecords);
  },
  async identity() {
    const plain = new jsforce.Connection({
      accessToken: conn.accessToken, instanceUrl: conn.instanceUrl, version: VERSION,
    });
    for (const connection of [conn, plain]) {
      const found = await connection.identity();
      assert.equal(found.user_id, user.id);
      for (const key of ['id', 'organization_id', 'username', 'display_name', 'email']) isText(found[key]);
      isObject(found.photos);
      isObject(found.urls);
    }
  },
  async limitInfo() {
    const { used, limit } = conn.limitInfo.apiUsage;
    assert.ok(used > 0 && limit >= used);
  },
  async limitsOfRequests() {
    const { DailyApiRequests } = await conn.limits();
    assert.ok(DailyApiRequests.Remaining >= 0 && DailyApiRequests.Max > 0);
  },
  async limitsOfStorage() {
    const { DataStorageMB, FileStorageMB } = await conn.limits();
    assert.ok(DataStorageMB.Max > 0 && FileStorageMB.Max > 0);
  },
  async tabs() {
    for (const tab of await conn.tabs()) for (const key of ['label', 'name', 'url']) isText(tab[key]);
  },
  async theme() {
    for (const item of (await conn.theme()).themeItems) {
      isText(item.name);
      item.colors.forEach(({ color, context, theme }) => [color, context, theme].forEach(isText));
      item.icons.forEach((icon) => { isText(icon.url); isNumber(icon.width); isText(icon.contentType); });
    }
  },
};

// What a row awaits is also told by jsforce's streams and bulk jobs, which nobody listens to.
process.on('uncaughtException', () => {});
const results = {};
for (const [name, row] of Object.entries(rows)) {
  try {
    await row();
    results[name] = { ok: true };
  } catch (error) {
    results[name] = { ok: false, error: `${error.name}: ${error.message}`.slice(0, 400) };
  }
}
console.log(JSON.stringify(results));
process.exit(0);
