/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho report incident`: the first report of an incident, early and in part, and those that follow it. What the box knows stands there with where it is from; what only people can know
 * is marked as not known yet, and nothing is made up. What may be shared of the attack stands apart from what is told of the victim.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"
#include "mgmt/cli/report/former.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/report/span.h"
#include "mgmt/cli/report/tally.h"
#include "mgmt/cli/report/told.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define KEY 256u
#define WORDS 200u /* bytes of a text that somebody gives */

enum { OPT_FROM = OPT_REPORT_N, OPT_UNTIL, OPT_NOTICED, OPT_BY, OPT_CONTACT, OPT_FOLLOWS, OPT_FINAL, OPT_N };

static const struct cli_option options[OPT_N] = {
	REPORT_OPTIONS,
	[OPT_FROM] = { "--from", 0, "TIME", M_INCIDENT_OPT_FROM },
	[OPT_UNTIL] = { "--until", 0, "TIME", M_INCIDENT_OPT_UNTIL },
	[OPT_NOTICED] = { "--noticed", 0, "TIME", M_INCIDENT_OPT_NOTICED },
	[OPT_BY] = { "--by", 0, "NAME", M_INCIDENT_OPT_BY },
	[OPT_CONTACT] = { "--contact", 0, "TEXT", M_INCIDENT_OPT_CONTACT },
	[OPT_FOLLOWS] = { "--follows", 0, "FILE", M_INCIDENT_OPT_FOLLOWS },
	[OPT_FINAL] = { "--final", 0, NULL, M_INCIDENT_OPT_FINAL },
};

/* What the records of that time say. */
struct course {
	struct tally refused, parties, outside;
	json_t *box, *people; /* what befell the box; what people changed on it */
	unsigned long long more_box, more_people, records;
	char first[40], last[40]; /* record of a refusal or of something grave */
	unsigned long long first_seq;
	json_t *external; /* names of zones outside */
};

static bool outside(const struct course *k, const char *zone)
{
	return *zone == '\0' || json_object_get(k->external, zone) != NULL;
}

static void party(struct course *k, const json_t *e, const char *side, unsigned long long count)
{
	char zone_key[32], asset_key[32], key[KEY], host[64];
	const char *zone, *asset;

	snprintf(zone_key, sizeof(zone_key), "%s_zone", side);
	snprintf(asset_key, sizeof(asset_key), "%s_asset", side);
	told_host(js(e, side), host);
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

/* Only what is not the victim's: the address outside, what it spoke, why it was refused. */
static void indicator(struct course *k, const json_t *e, unsigned long long count)
{
	bool client = outside(k, js(e, "client_zone")), server = outside(k, js(e, "server_zone"));
	char host[64], key[KEY];
	const char *port;

	if (client == server) /* both ours, or nobody knows */
		return;
	told_host(js(e, client ? "client" : "server"), host);
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

static bool is(const json_t *e, const char *key, const char *word)
{
	return strcmp(js(e, key), word) == 0;
}

static void each(void *ctx, const json_t *e)
{
	struct course *k = ctx;
	unsigned long long count = ju(e, "count") > 0 ? ju(e, "count") : 1;
	bool serious = is(e, "severity", "serious"), warning = is(e, "severity", "warning");
	char key[KEY];

	k->records++;
	if (told_traffic(e) && !is(e, "verdict", "allow")) {
		tally_add(&k->refused, key, told_refusal(e, key, sizeof(key)), count, js(e, "time"));
		party(k, e, "client", count);
		party(k, e, "server", count);
		indicator(k, e, count);
		mark(k, e);
	} else if (is(e, "kind", "policy") || is(e, "kind", "account") || is(e, "code", "held") ||
		   is(e, "code", "hold_lifted") || is(e, "code", "preserved")) {
		tally_keep(k->people, &k->more_people, e);
	} else if (serious || warning) {
		tally_keep(k->box, &k->more_box, e);
		if (serious)
			mark(k, e);
	}
}

static json_t *zones_outside(const json_t *facts)
{
	const json_t *z;
	json_t *found = json_object();
	size_t i;

	json_array_foreach(ja(facts_answer(facts, "effective"), "zones"), i, z)
	{
		if (strcmp(js(z, "class"), "external") == 0)
			(void)json_object_set_new(found, js(z, "name"), json_true());
	}
	return found;
}

/* ---- the page ------------------------------------------------------------------------------------------------------ */

/* A line of the summary. `from`: what the box or a person said of it; 0 = nobody can know yet. */
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

/* Of this report: what stands before it, and what people have said. */
struct telling {
	struct former former;
	const char *noticed, *by, *contact; /* NULL = not known */
	bool final;
};

/* "Second report (continued)": which one it is stands first. */
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
	told_span(s->from, s->until, text, sizeof(text));
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

static const char *side_text(const json_t *r, enum lang l)
{
	return message_format(strcmp(js(r, "side"), "client") == 0 ? M_INCIDENT_SOURCE : M_INCIDENT_TARGET, l);
}

static void parties(struct page *p, const json_t *rows)
{
	static const enum message heads[] = { M_INCIDENT_ZONE, M_INCIDENT_ASSET, M_INCIDENT_ADDRESS, M_INCIDENT_SIDE,
					      M_TOLD_COUNT,    M_TOLD_FIRST,	 M_TOLD_LAST };
	enum lang l = page_lang(p);
	const json_t *r;
	size_t i;

	page_section(p, M_INCIDENT_PARTIES);
	page_say(p, M_INCIDENT_PARTIES_WHAT);
	if (json_array_size(rows) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, 7);
	json_array_foreach(rows, i, r)
	{
		page_cell(p, jb(r, "more")	      ? message_format(M_TOLD_OTHERS, l)
			     : *js(r, "zone") != '\0' ? js(r, "zone")
						      : message_format(M_INCIDENT_NO_ZONE, l));
		page_cell(p, *js(r, "asset") != '\0' ? js(r, "asset") : "-");
		page_cell(p, js(r, "address"));
		page_cell(p, jb(r, "more") ? "-" : side_text(r, l));
		page_cellf(p, "%llu", ju(r, "count"));
		told_cell_time(p, js(r, "first"));
		told_cell_time(p, js(r, "last"));
	}
}

/* How it stands at the moment when the facts were taken, in the words of the probes that read it. */
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
		told_cell_time(p, facts_taken(facts, probe->from));
	}
}

static void indicators(struct page *p, const json_t *rows)
{
	static const enum message heads[] = { M_INCIDENT_OUTSIDE_ADDRESS,
					      M_INCIDENT_SIDE,
					      M_INCIDENT_PORT,
					      M_INCIDENT_PROTOCOL,
					      M_TOLD_REASON,
					      M_TOLD_COUNT,
					      M_TOLD_FIRST,
					      M_TOLD_LAST };
	enum lang l = page_lang(p);
	const json_t *r;
	size_t i;

	page_section(p, M_INCIDENT_INDICATORS);
	page_say(p, M_INCIDENT_INDICATORS_WHAT);
	page_blank(p, M_INCIDENT_TLP);
	if (json_array_size(rows) == 0) {
		page_say(p, M_TOLD_NONE);
		return;
	}
	page_table(p, heads, 8);
	json_array_foreach(rows, i, r)
	{
		page_cell(p, jb(r, "more") ? message_format(M_TOLD_OTHERS, l) : js(r, "address"));
		page_cell(p, jb(r, "more") ? "-" : side_text(r, l));
		page_cellf(p, "%s/%s", js(r, "transport"), js(r, "port"));
		page_cell(p, *js(r, "protocol") != '\0' ? js(r, "protocol") : "-");
		page_cell(p, *js(r, "reason") != '\0' ? render_reason(js(r, "reason"), l) : "-");
		page_cellf(p, "%llu", ju(r, "count"));
		told_cell_time(p, js(r, "first"));
		told_cell_time(p, js(r, "last"));
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

static json_t *known(const char *text)
{
	return text != NULL && *text != '\0' ? json_text(text) : json_null();
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
			 "occurred", "noticed", known(t->noticed), "what", "cause", "impact", "leak", "reporter",
			 known(t->by), "contact", known(t->contact), "first_record",
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
	parties(p, with);
	page_section(p, M_INCIDENT_DID);
	page_say(p, M_INCIDENT_DID_WHAT, k->records);
	told_refusals(p, refused);
	page_section(p, M_INCIDENT_BOX);
	told_table(p, k->box, k->more_box);
	page_section(p, M_INCIDENT_PEOPLE);
	told_table(p, k->people, k->more_people);
	state_now(p, facts);
	contacts(p, t->by, t->contact);
	indicators(p, from_outside);
	return report_give(c, a, p, data, CLI_YES);
}

/* What somebody wrote stands in a report as it is, so it is one line and short. */
static bool plain(const char *text)
{
	return text == NULL || text_is_plain(text, WORDS);
}

/* What the box is asked, and told. */
static int tell(struct cli *c, const struct cli_args *a, const struct telling *t)
{
	const char *from = a->values[OPT_FROM];
	char begun[MOMENT_TEXT];
	struct course k;
	struct span s;
	json_t *facts;
	int status;

	/* The moment as it stands in a report, as one that people give. */
	snprintf(begun, sizeof(begun), "%.19sZ", js(t->former.report, "from"));
	facts = report_facts(c, a, &status);
	if (facts == NULL)
		return status;
	status = span_read(c, NULL, from != NULL ? from : begun, a->values[OPT_UNTIL], js(facts, "made"), &s);
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

static int run(struct cli *c, const struct cli_args *a)
{
	struct telling t = { .final = a->values[OPT_FINAL] != NULL };
	char noticed[MOMENT_TEXT] = "";
	int status;

	if (!plain(a->values[OPT_BY]) || !plain(a->values[OPT_CONTACT]))
		return cli_fail(c, CLI_INVALID, M_INCIDENT_WORDS, WORDS);
	if (a->values[OPT_NOTICED] != NULL && !moment_parse(a->values[OPT_NOTICED], noticed))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--noticed", a->values[OPT_NOTICED]);
	if (a->values[OPT_FROM] == NULL && a->values[OPT_FOLLOWS] == NULL)
		return cli_fail(c, CLI_INVALID, M_INCIDENT_WHEN);
	status = former_read(c, a->values[OPT_FOLLOWS], &t.former);
	if (status != CLI_YES)
		return status;
	t.noticed = former_value(&t.former, "noticed", noticed);
	t.by = former_value(&t.former, "reporter", a->values[OPT_BY]);
	t.contact = former_value(&t.former, "contact", a->values[OPT_CONTACT]);
	status = tell(c, a, &t);
	former_free(&t.former);
	return status;
}

const struct cli_verb verb_report_incident = {
	.name = "report",
	.under = "incident",
	.group = CLI_ON_BOX,
	.operands = "",
	.options = options,
	.n_options = OPT_N,
	.summary = M_INCIDENT_SUMMARY_LINE,
	.text = M_INCIDENT_TEXT,
	.run = run,
};
