/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho report incident`: the first, early and partial report of an incident, and the following
 * ones. What the box knows has its source; what only people can know is marked as unknown, and
 * nothing is made up. What may be shared about the attack is separate from facts about the victim.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

/* The earlier report that this one follows: its number, the values it passes on, and what has
 * changed since. */

struct former {
	json_t *report; /* owned; NULL: none, this is the first report */
	char sha256[65];
};

#define FILE_MOST (16u << 20)
#define NUMBER_MOST 999u
#define WORDS 200u

static bool is_report(const json_t *j)
{
	static const char *const moments[] = { "made", "from", "until" };
	const json_t *number = json_object_get(j, "number");

	if (!js_is(j, "report", "incident") || !json_is_integer(number) || json_integer_value(number) < 1 ||
	    json_integer_value(number) >= NUMBER_MOST)
		return false;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		if (strlen(js(j, moments[i])) != strlen("2026-10-05T00:00:00.000Z"))
			return false;
	return strlen(js(j, "reporter")) <= WORDS && strlen(js(j, "contact")) <= WORDS &&
	       strlen(js(j, "noticed")) < RENDER_TEXT;
}

static void former_free(struct former *f)
{
	json_decref(f->report);
	f->report = NULL;
}

/* `file`: output of `report incident --json`; NULL: none. A CLI status, after reporting an
 * error. */
static int former_read(struct cli *c, const char *file, struct former *ret)
{
	struct err e = { 0 };
	uint8_t *text = NULL, digest[32];
	size_t n = 0;
	int r;

	*ret = (struct former){ .report = NULL };
	if (file == NULL)
		return CLI_YES;
	r = file_read(AT_FDCWD, file, FILE_MOST, &text, &n, &e);
	if (r < 0)
		return cli_fail_file(c, CLI_INVALID, file, -r);
	sha256(text, n, digest);
	hex_text(digest, sizeof(digest), ret->sha256);
	ret->report = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (is_report(ret->report))
		return CLI_YES;
	former_free(ret);
	return cli_fail(c, CLI_INVALID, M_INCIDENT_NO_FORMER, file);
}

/* The number of the new report: 1, or the former's plus one. */
static unsigned long long former_number(const struct former *f)
{
	return f->report != NULL ? ju(f->report, "number") + 1 : 1;
}

/* The given value, or else the former report's; NULL: neither. */
static const char *former_value(const struct former *f, const char *key, const char *given)
{
	if (given != NULL && *given != '\0')
		return given;
	return *js(f->report, key) != '\0' ? js(f->report, key) : NULL;
}

/* {"number","made","sha256"} of the former report, or JSON null; owned by the caller. */
static json_t *former_json(const struct former *f)
{
	if (f->report == NULL)
		return json_null();
	return json_pack("{s:I,s:s,s:s}", "number", (json_int_t)ju(f->report, "number"), "made", js(f->report, "made"),
			 "sha256", f->sha256);
}

/* ---- changes since then ---------------------------------------------------------------------- */

static bool same(const json_t *a, const json_t *b, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (!js_is(a, *keys, js(b, *keys)))
			return false;
	return true;
}

/* Rows of a tally that the former report lacks. */
static json_t *fresh_rows(const json_t *then, const json_t *now, const char *const *keys)
{
	json_t *list = json_array();

	json_each(a, now) {
		bool known = jb(a, "more");

		json_each(b, then)
			known = known || same(a, b, keys);
		if (!known)
			(void)json_array_append(list, (json_t *)(uintptr_t)a);
	}
	return list;
}

static json_int_t times(const json_t *rows)
{
	json_int_t sum = 0;

	json_each(r, rows)
		sum += (json_int_t)ju(r, "count");
	return sum;
}

static json_int_t events(const json_t *report, const char *key, const char *more)
{
	return (json_int_t)json_array_size(ja(report, key)) + (json_int_t)ju(report, more);
}

/*
 * {"records":[then,now],"refusals":[then,now],"parties":[...new ones],"indicators":[...new
 * ones],"box":N,"people":N}, from the new report's data; owned by the caller. JSON null for a first
 * report.
 */
static json_t *former_changes(const struct former *f, const json_t *data)
{
	static const char *const of_party[] = { "zone", "asset", "address", "side", NULL };
	static const char *const of_indicator[] = {
		"address", "side", "transport", "port", "protocol", "reason", NULL
	};
	const json_t *was = f->report;

	if (was == NULL)
		return json_null();
	return json_pack("{s:[I,I],s:[I,I],s:[I,I],s:[I,I],s:o,s:o}", "records", (json_int_t)ju(was, "records"),
			 (json_int_t)ju(data, "records"), "refusals", times(ja(was, "refused")),
			 times(ja(data, "refused")), "box", events(was, "box", "box_more"),
			 events(data, "box", "box_more"), "people", events(was, "people", "people_more"),
			 events(data, "people", "people_more"), "parties",
			 fresh_rows(ja(was, "parties"), ja(data, "parties"), of_party), "indicators",
			 fresh_rows(ja(was, "indicators"), ja(data, "indicators"), of_indicator));
}

static const struct answer_row party_rows[] = {
#define ROWS_PARTIES
#include "mgmt/cli/report/report.def"
};
static const struct answer_row party_rows_new[] = {
#define ROWS_PARTIES_NEW
#include "mgmt/cli/report/report.def"
};
static const struct answer_row indicator_rows[] = {
#define ROWS_INDICATORS
#include "mgmt/cli/report/report.def"
};

static void number(struct page *p, const json_t *changes, const char *key, enum message label)
{
	const json_t *two = ja(changes, key);

	page_cell(p, message_format(label, page_lang(p)));
	for (size_t i = 0; i < 2; i++)
		page_cellf(p, "%lld", (long long)json_integer_value(json_array_get(two, i)));
}

static void former_page(struct page *p, const struct former *f, const json_t *changes)
{
	static const enum message heads[] = { M_INCIDENT_ITEM, M_INCIDENT_THEN, M_INCIDENT_NOW_HEAD };
	const json_t *list = ja(changes, "parties");
	char when[RENDER_TEXT];

	if (f->report == NULL)
		return;
	render_time(js(f->report, "made"), when);
	page_section(p, M_INCIDENT_CHANGED);
	page_say(p, M_INCIDENT_FOLLOWS, ju(f->report, "number"), when, f->sha256);
	page_table(p, heads, 3);
	number(p, changes, "records", M_INCIDENT_N_RECORDS);
	number(p, changes, "refusals", M_INCIDENT_N_REFUSED);
	number(p, changes, "box", M_INCIDENT_N_BOX);
	number(p, changes, "people", M_INCIDENT_N_PEOPLE);
	page_say(p, M_INCIDENT_NEW_PARTIES, json_array_size(list), json_array_size(ja(changes, "indicators")));
	if (json_array_size(list) > 0)
		page_rows(p, party_rows_new, list);
}

#define KEY 256u

/* What the records of the reported time show. */
struct course {
	struct tally refused, parties, outside;
	json_t *box, *people; /* events of the box; changes by people */
	unsigned long long more_box, more_people, records;
	/* times of the first and last record of a refusal or a grave event */
	char first[40], last[40];
	unsigned long long first_seq;
	json_t *external;	  /* names of outside zones */
	const json_t *interfaces; /* the box's own; borrowed */
};

/* Whether a host in no zone may be the site's own: the box itself and its management network are in
 * none. */
static bool may_be_ours(const struct course *k, const char *host)
{
	struct addr_range net;
	struct addr a;
	bool stray;

	if (!addr_parse(host, &a) || addr_is_private(&a))
		return true;
	json_each(i, k->interfaces)
		json_each(x, ja(i, "addresses"))
			/* an address with its prefix, so bits beyond that are set */
			if (json_is_string(x) && (prefix_parse(json_string_value(x), &net, &stray) || stray) &&
			    addr_in(&a, &net))
				return true;
	return false;
}

static bool outside(const struct course *k, const char *zone, const char *end)
{
	char host[64];

	host_of_end(end, host);
	return *zone == '\0' ? !may_be_ours(k, host) : json_object_get(k->external, zone) != NULL;
}

static void party(struct course *k, const json_t *e, const char *side, unsigned long long count)
{
	char zone_key[32], asset_key[32], key[KEY], host[64];
	const char *zone, *asset;

	snprintf(zone_key, sizeof(zone_key), "%s_zone", side);
	snprintf(asset_key, sizeof(asset_key), "%s_asset", side);
	host_of_end(js(e, side), host);
	zone = js(e, zone_key);
	asset = js(e, asset_key);
	if (*host == '\0')
		return;
	snprintf(key, sizeof(key), "%s/%s/%s/%s", zone, asset, host, side);
	tally_add(&k->parties, key,
		  json_pack("{s:o,s:o,s:o,s:s}", "zone", json_text(zone), "asset", json_text(asset), "address",
			    json_text(host), "side", side),
		  count, js(e, "time"));
}

/* Only facts that are not the victim's: the outside address, its protocol, the reason of the
 * refusal. */
static void indicator(struct course *k, const json_t *e, unsigned long long count)
{
	bool client = outside(k, js(e, "client_zone"), js(e, "client")),
	     server = outside(k, js(e, "server_zone"), js(e, "server"));
	char host[64], key[KEY];
	const char *port;

	if (client == server) /* both are ours, or unknown */
		return;
	host_of_end(js(e, client ? "client" : "server"), host);
	if (*host == '\0')
		return;
	port = strrchr(js(e, "server"), ':');
	port = port != NULL ? port + 1 : "";
	snprintf(key, sizeof(key), "%s/%d/%s/%s/%s/%s", host, client, js(e, "transport"), port, js(e, "protocol"),
		 js(e, "reason"));
	tally_add(&k->outside, key,
		  json_pack("{s:o,s:s,s:o,s:o,s:o,s:o}", "address", json_text(host), "side",
			    client ? "client" : "server", "transport", json_text(js(e, "transport")), "port",
			    json_text(port), "protocol", json_text(js(e, "protocol")), "reason",
			    json_text(js(e, "reason"))),
		  count, js(e, "time"));
}

static void mark(struct course *k, const json_t *e)
{
	const char *time = js(e, "time");

	if (k->first[0] == '\0' || strcmp(time, k->first) < 0) {
		snprintf(k->first, sizeof(k->first), "%s", time);
		k->first_seq = ju(e, "seq");
	}
	if (strcmp(time, k->last) > 0)
		snprintf(k->last, sizeof(k->last), "%s", time);
}

static void each(void *ctx, const json_t *e)
{
	struct course *k = ctx;
	unsigned long long count = ju(e, "count") > 0 ? ju(e, "count") : 1;
	bool serious = js_is(e, "severity", "serious"), warning = js_is(e, "severity", "warning");
	char key[KEY];

	k->records++;
	if (event_is_traffic(e) && !js_is(e, "verdict", "allow")) {
		tally_add(&k->refused, key, refusal_row(e, key, sizeof(key)), count, js(e, "time"));
		party(k, e, "client", count);
		party(k, e, "server", count);
		indicator(k, e, count);
		mark(k, e);
	} else if (js_is(e, "kind", "policy") || js_is(e, "kind", "account") || js_is(e, "code", "held") ||
		   js_is(e, "code", "hold_lifted") || js_is(e, "code", "preserved")) {
		tally_keep(k->people, &k->more_people, e);
	} else if (serious || warning) {
		tally_keep(k->box, &k->more_box, e);
		if (serious)
			mark(k, e);
	}
}

static json_t *zones_outside(const json_t *facts)
{
	json_t *found = json_object();

	json_each(z, ja(facts_answer(facts, "effective"), "zones"))
		if (js_is(z, "class", "external"))
			(void)json_object_set_new(found, js(z, "name"), json_true());
	return found;
}

/* ---- the page -------------------------------------------------------------------------------- */

/* A line of the summary. `from`: whether the box or a person gave it; 0 = not known yet. */
static void line(struct page *p, enum message label, const char *text, enum message from)
{
	page_cell(p, message_format(label, page_lang(p)));
	if (text == NULL || *text == '\0')
		page_cell_mark(p, M_INCIDENT_UNKNOWN, "ask");
	else
		page_cell(p, text);
	page_cell(p, text == NULL || *text == '\0' ? "" : message_format(from, page_lang(p)));
}

static void line_time(struct page *p, enum message label, const char *when, enum message from)
{
	char text[RENDER_TEXT];

	render_time(when, text);
	line(p, label, text, from);
}

/* The new report: the former one, and what people have said. */
struct telling {
	struct former former;
	const char *noticed, *by, *contact; /* NULL = not known */
	bool final;
};

/* "Second report (continued)": its number comes first. */
static void kind_of_report(struct page *p, const struct telling *t)
{
	unsigned long long n = former_number(&t->former);
	char text[RENDER_TEXT * 2];

	(void)message_text(text, sizeof(text), page_lang(p),
			   t->final ? M_INCIDENT_FINAL
			   : n == 1 ? M_INCIDENT_FIRST
				    : M_INCIDENT_FURTHER,
			   n);
	line(p, M_INCIDENT_KIND_OF_REPORT, text, M_INCIDENT_FORM);
}

static void summary(struct page *p, const json_t *facts, const struct course *k, const struct span *s,
		    const struct telling *t)
{
	static const enum message heads[] = { M_INCIDENT_ITEM, M_INCIDENT_CONTENT, M_INCIDENT_BASIS };
	const json_t *site = json_object_get(facts_answer(facts, "status"), "site");
	char text[RENDER_TEXT * 3];
	enum lang l = page_lang(p);

	page_section(p, M_INCIDENT_SUMMARY);
	page_table(p, heads, 3);
	kind_of_report(p, t);
	line(p, M_INCIDENT_COMPANY, NULL, 0);
	if (*js(site, "label") != '\0')
		snprintf(text, sizeof(text), "%s (%s)", js(site, "label"), js(site, "name"));
	else
		snprintf(text, sizeof(text), "%s", js(site, "name"));
	line(p, M_INCIDENT_SITE, text, M_INCIDENT_FROM_POLICY);
	line(p, M_INCIDENT_WHAT, NULL, 0);
	line(p, M_INCIDENT_OCCURRED, NULL, 0);
	line_time(p, M_INCIDENT_NOTICED, t->noticed != NULL ? t->noticed : "", M_INCIDENT_FROM_PERSON);
	line(p, M_INCIDENT_HOW_NOTICED, NULL, 0);
	span_text(s->from, s->until, text, sizeof(text));
	line(p, M_INCIDENT_SPAN, text, M_INCIDENT_FROM_PERSON);
	if (k->first[0] != '\0') {
		render_time(k->first, text);
		page_cell(p, message_format(M_INCIDENT_FIRST_RECORD, l));
		page_cell(p, text);
		(void)message_text(text, sizeof(text), l, M_INCIDENT_FROM_RECORD, k->first_seq);
		page_cell(p, text);
	} else {
		line(p, M_INCIDENT_FIRST_RECORD, message_format(M_INCIDENT_NO_RECORD, l), M_INCIDENT_FROM_RECORDS);
	}
	line(p, M_INCIDENT_CAUSE, NULL, 0);
	line(p, M_INCIDENT_IMPACT, NULL, 0);
	line(p, M_INCIDENT_LEAK, NULL, 0);
	line(p, M_INCIDENT_OUTLOOK, NULL, 0);
}

/* The state when the facts were taken, in the words of the probes. */
static void state_now(struct page *p, const json_t *facts)
{
	static const char *const words[] = { "stands", "rules_hold", "untouched", "records_chain", "clock_sources" };
	static const enum message heads[] = { M_INCIDENT_STATE, M_TOLD_TIME };
	const struct deeds none = { 0 };

	page_section(p, M_INCIDENT_NOW);
	page_table(p, heads, 2);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct probe *probe = probe_by_word(words[i]);
		struct finding f;

		if (probe == NULL)
			continue;
		probe_look(probe, facts, &none, &f);
		page_cell(p, f.text[page_lang(p)]);
		page_cell_time(p, facts_taken(facts, probe->from));
	}
}

static void contacts(struct page *p, const char *by, const char *contact)
{
	static const enum message heads[] = { M_INCIDENT_ITEM, M_INCIDENT_CONTENT, M_INCIDENT_BASIS };

	page_section(p, M_INCIDENT_CONTACTS);
	page_table(p, heads, 3);
	line(p, M_INCIDENT_REPORTER, by, M_INCIDENT_FROM_PERSON);
	line(p, M_INCIDENT_CONTACT, contact, M_INCIDENT_FROM_PERSON);
	page_say(p, M_INCIDENT_SENDS_NOTHING);
	page_blank(p, M_INCIDENT_TO_BUREAU);
	page_blank(p, M_INCIDENT_TO_AUTHORITY);
	page_blank(p, M_INCIDENT_TO_POLICE);
	page_blank(p, M_INCIDENT_TO_OTHERS);
}

static void course_open(struct course *k, const json_t *facts)
{
	memset(k, 0, sizeof(*k));
	tally_open(&k->refused);
	tally_open(&k->parties);
	tally_open(&k->outside);
	k->box = json_array();
	k->people = json_array();
	k->external = zones_outside(facts);
	k->interfaces = ja(facts_answer(facts, "status"), "interfaces");
}

static void course_end(struct course *k)
{
	tally_sort(&k->refused);
	tally_sort(&k->parties);
	tally_sort(&k->outside);
	json_decref(k->external);
}

static json_t *data_of(const json_t *facts, const struct course *k, const struct span *s, const struct telling *t,
		       json_t *const rows[3])
{
	return json_pack("{s:s,s:I,s:b,s:o,s:O,s:O,s:O,s:O,s:s,s:s,s:n,s:o,s:n,s:n,s:n,s:n,s:o,s:o,s:o,s:I,s:o,s:o,s:o,"
			 "s:I,s:o,s:I,s:o}",
			 "report", "incident", "number", (json_int_t)former_number(&t->former), "final", (int)t->final,
			 "follows", former_json(&t->former), "made", json_object_get(facts, "made"), "version",
			 json_object_get(facts, "version"), "host", json_object_get(facts, "host"), "site",
			 json_object_get(facts_answer(facts, "status"), "site"), "from", s->from, "until", s->until,
			 "occurred", "noticed", json_text_or_null(t->noticed), "what", "cause", "impact", "leak",
			 "reporter", json_text_or_null(t->by), "contact", json_text_or_null(t->contact), "first_record",
			 k->first[0] != '\0' ? json_pack("{s:s,s:I}", "time", k->first, "seq", (json_int_t)k->first_seq)
					     : json_null(),
			 "records", (json_int_t)k->records, "parties", rows[1], "refused", rows[0], "box", k->box,
			 "box_more", (json_int_t)k->more_box, "people", k->people, "people_more",
			 (json_int_t)k->more_people, "indicators", rows[2]);
}

static int give(struct cli *c, const struct cli_args *a, const json_t *facts, struct course *k, const struct span *s,
		const struct telling *t)
{
	struct page *p = page_new(c->lang, t->former.report == NULL ? M_INCIDENT_TITLE : M_INCIDENT_TITLE_NEXT);
	json_t *data, *refused, *with, *from_outside, *changes;

	course_end(k);
	refused = tally_close(&k->refused);
	with = tally_close(&k->parties);
	from_outside = tally_close(&k->outside);
	data = data_of(facts, k, s, t, (json_t *[]){ refused, with, from_outside });
	changes = former_changes(&t->former, data);
	(void)json_object_set_new(data, "changed", changes);
	report_head(p, facts);
	page_say(p, M_INCIDENT_INTRO);
	summary(p, facts, k, s, t);
	former_page(p, &t->former, changes);
	page_section(p, M_INCIDENT_PARTIES);
	page_say(p, M_INCIDENT_PARTIES_WHAT);
	page_rows(p, party_rows, with);
	page_section(p, M_INCIDENT_DID);
	page_say(p, M_INCIDENT_DID_WHAT, k->records);
	page_refusals(p, refused);
	page_section(p, M_INCIDENT_BOX);
	page_events(p, k->box, k->more_box);
	page_section(p, M_INCIDENT_PEOPLE);
	page_events(p, k->people, k->more_people);
	state_now(p, facts);
	contacts(p, t->by, t->contact);
	page_section(p, M_INCIDENT_INDICATORS);
	page_say(p, M_INCIDENT_INDICATORS_WHAT);
	page_blank(p, M_INCIDENT_TLP);
	page_rows(p, indicator_rows, from_outside);
	return report_give(c, a, p, data, CLI_YES);
}

/* A person's text appears unchanged in the report, so it must be one short line. */
static bool plain(const char *text)
{
	return text == NULL || text_is_plain(text, WORDS);
}

/* Asks the box and prints the report. */
static int tell_incident(struct cli *c, const struct cli_args *a, const struct telling *t)
{
	const char *from = a->values[OPT_INCIDENT_FROM];
	char begun[MOMENT_TEXT];
	struct course k;
	struct span s;
	json_t *facts;
	int status;

	/* The beginning of the former report, in the form in which people type times. */
	snprintf(begun, sizeof(begun), "%.19sZ", js(t->former.report, "from"));
	facts = report_facts(c, a, &status);
	if (facts == NULL)
		return status;
	status = span_read(c, NULL, from != NULL ? from : begun, a->values[OPT_INCIDENT_UNTIL], js(facts, "made"), &s);
	if (status != CLI_YES) {
		json_decref(facts);
		return status;
	}
	course_open(&k, facts);
	if (report_events(c, facts, s.from, s.until, each, &k, &status)) {
		status = give(c, a, facts, &k, &s, t);
	} else {
		json_decref(tally_close(&k.refused));
		json_decref(tally_close(&k.parties));
		json_decref(tally_close(&k.outside));
		json_decref(k.box);
		json_decref(k.people);
		json_decref(k.external);
	}
	json_decref(facts);
	return status;
}

int verb_report_incident(struct cli *c, const struct cli_args *a)
{
	struct telling t = { .final = a->values[OPT_INCIDENT_FINAL] != NULL };
	char noticed[MOMENT_TEXT] = "";
	int status;

	if (!plain(a->values[OPT_INCIDENT_BY]) || !plain(a->values[OPT_INCIDENT_CONTACT]))
		return cli_fail(c, CLI_INVALID, M_INCIDENT_WORDS, WORDS);
	if (a->values[OPT_INCIDENT_NOTICED] != NULL && !moment_parse(a->values[OPT_INCIDENT_NOTICED], noticed))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--noticed", a->values[OPT_INCIDENT_NOTICED]);
	if (a->values[OPT_INCIDENT_FROM] == NULL && a->values[OPT_INCIDENT_FOLLOWS] == NULL)
		return cli_fail(c, CLI_INVALID, M_INCIDENT_WHEN);
	status = former_read(c, a->values[OPT_INCIDENT_FOLLOWS], &t.former);
	if (status != CLI_YES)
		return status;
	t.noticed = former_value(&t.former, "noticed", noticed);
	t.by = former_value(&t.former, "reporter", a->values[OPT_INCIDENT_BY]);
	t.contact = former_value(&t.former, "contact", a->values[OPT_INCIDENT_CONTACT]);
	status = tell_incident(c, a, &t);
	former_free(&t.former);
	return status;
}
